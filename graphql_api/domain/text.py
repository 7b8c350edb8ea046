"""Text that people have to see, and the forms in which texts are compared."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek and Cyrillic letters
_WORDS = re.compile(r'"([^"]*)"?|([^\s"]+)')  # a phrase whose end is missing ends with the text
_QUOTES = str.maketrans("\u201c\u201d\u201e\u201f", '""""')  # as telephones write them

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


def searchable(text: str) -> str:
    """Return a text in the form in which accents make no difference either."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))


@dataclass(frozen=True, slots=True)
class Search:
    """Words and, in quotes, phrases, all of which have to be somewhere in some texts."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Search":
        """The search that a user has typed."""
        found = _WORDS.findall(text.translate(_QUOTES))
        words = (" ".join(searchable(phrase or word).split()) for phrase, word in found)
        return cls(tuple(word for word in words if word))

    def finds(self, texts: Iterable[str]) -> bool:
        """Return whether each word is a part of one of the texts."""
        compared: Iterable[str] = map(searchable, texts)
        if any(" " in word for word in self.words):  # within a text, all space is the same
            compared = (" ".join(text.split()) for text in compared)
        whole = "\n".join(compared)
        return all(word in whole for word in self.words)


def is_invisible(text: str) -> bool:
    """Return whether none of the text's characters can be seen."""
    return all(map(_is_invisible, text))


def _is_invisible(character: str) -> bool:
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES:
        return True
    return any(first <= ord(character) <= last for first, last in _INVISIBLE_RANGES)
