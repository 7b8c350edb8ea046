"""The words of a line, and a reader that takes them one by one. Pure."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from graphql_api.domain.text import comparable

T = TypeVar("T")

_WORD = re.compile(r"\S+")
_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb'  # straight, English, German, French
_JOINTS = ",;:!?"
_WEEKDAY_PART = re.compile(
    r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)"
    rf"(morgen|früh|vormittag|mittag|nachmittag|abend|nacht)[.{_JOINTS}]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it is, in code points; one within quotes has no `word`."""

    number: int  # in the text, from 0
    start: int
    end: int
    text: str
    word: str  # comparable, without the punctuation behind it, but with a full stop
    is_joined: bool = False  # to the one before: both are one word, `Samstag` and `abend`

    @property
    def bare(self) -> str:
        """The word without a full stop behind it."""
        return self.word.rstrip(".")

    @property
    def is_cut_off(self) -> bool:
        """Tell whether a comma or a colon divides it from what follows."""
        return self.text.endswith((",", ":", ";"))


def tokens_of(text: str) -> list[Token]:
    """The words of a text, in order; those that quotes protect cannot be read."""
    quoted = list(_quoted(text))
    found: list[Token] = []
    at = 0
    for match in _WORD.finditer(text):
        while at < len(quoted) and quoted[at][1] <= match.start():
            at += 1
        protected = at < len(quoted) and quoted[at][0] < match.end()
        word = "" if protected else comparable(match[0].rstrip(_JOINTS))
        if not protected and (part := _WEEKDAY_PART.fullmatch(match[0])):
            found += _two(text, match, match.start() + part.start(1), len(found))
        else:
            found.append(Token(len(found), match.start(), match.end(), match[0], word))
    return found


def _two(text: str, match: re.Match[str], cut: int, number: int) -> Iterator[Token]:
    """The two words of `Samstagabend`: the weekday, and the part of it."""
    for start, end in ((match.start(), cut), (cut, match.end())):
        word = comparable(text[start:end].rstrip(_JOINTS))
        yield Token(number, start, end, text[start:end], word, is_joined=start == cut)
        number += 1


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each part between two quotation marks, whichever they are."""
    marks = [index for index, character in enumerate(text) if character in _QUOTES]
    for opening, closing in zip(marks[::2], marks[1::2], strict=False):
        yield opening, closing + 1


@dataclass(slots=True)
class Reader:
    """Takes words from a place on, up to an end."""

    tokens: list[Token]
    at: int
    end: int

    @property
    def word(self) -> str:
        """The next word; empty at the end."""
        return self.tokens[self.at].word if self.at < self.end else ""

    @property
    def bare(self) -> str:
        """The next word without a full stop; empty at the end."""
        return self.tokens[self.at].bare if self.at < self.end else ""

    def takes(self, words: Container[str]) -> bool:
        """Take the next word if it is one of these."""
        found = bool(self.bare) and self.bare in words
        self.at += found
        return found

    def value(self, table: Mapping[str, T]) -> T | None:
        """Take the next word if it has a value in the table, and return that."""
        found = table.get(self.bare) if self.bare else None
        self.at += found is not None
        return found

    def matches(self, pattern: re.Pattern[str], *, whole: bool = False) -> re.Match[str] | None:
        """Take the next word if all of it matches; with its full stop if it is the `whole`."""
        found = pattern.fullmatch(self.word if whole else self.bare)
        self.at += found is not None
        return found

    def takes_all(self, *tables: Container[str]) -> bool:
        """Take a word of each table, one after the other, or none at all."""
        begin = self.at
        if all(self.takes(words) for words in tables):
            return True
        self.at = begin
        return False
