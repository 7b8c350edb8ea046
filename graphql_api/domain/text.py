"""Text that people have to see, and the forms in which texts are compared."""

import unicodedata

# Controls, formats, surrogates, spaces and line breaks show nothing by themselves …
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
# … and neither do the other default-ignorable code points (Unicode's DerivedCoreProperties.txt),
# and the blank pattern of Braille.
_INVISIBLE_RANGES = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065)),
    *((0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0xE0000, 0xE0FFF),),
)


def comparable(text: str) -> str:
    """Return a text in the form in which case and encoding make no difference."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def is_invisible(text: str) -> bool:
    """Return whether none of the text's characters can be seen."""
    return all(map(_is_invisible, text))


def _is_invisible(character: str) -> bool:
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES:
        return True
    return any(first <= ord(character) <= last for first, last in _INVISIBLE_RANGES)
