"""Tells the words that are dates, times and repetition from those of the title. Pure.

Phrases are taken at the end of the text or at its beginning, or next to one that is taken;
elsewhere they are a part of the title. A phrase is tried from a bounded number of places, so the
time is linear.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar, cast

from graphql_api.domain.quick_add import words
from graphql_api.domain.quick_add.dates import day_phrase, days_phrase, night_phrase
from graphql_api.domain.quick_add.model import (
    Asked,
    Clock,
    Day,
    Meaning,
    Moment,
    Phrase,
    Repeat,
    Span,
    SpanKind,
    Unread,
)
from graphql_api.domain.quick_add.repetitions import repetition_phrase
from graphql_api.domain.quick_add.times import range_phrase, time_phrase
from graphql_api.domain.quick_add.tokens import Reader, Token

M_co = TypeVar("M_co", covariant=True)
N = TypeVar("N")

LONGEST_PHRASE = 12  # words

_Read: TypeAlias = Callable[[Reader, Asked], Phrase | None]
_GRAMMAR: tuple[_Read, ...] = (
    *(repetition_phrase, day_phrase, time_phrase, night_phrase, range_phrase),
)
_KINDS = {
    Day: SpanKind.DATE,
    Clock: SpanKind.TIME,
    Moment: SpanKind.TIME,
    Repeat: SpanKind.RECURRENCE,
    Unread: SpanKind.TIME,
}
_ASPECTS = {"day": "a day", "time": "a time", "end": "an end", "repetition": "a repetition"}


@dataclass(frozen=True, slots=True)
class Taken(Generic[M_co]):
    """A phrase that is no part of the title."""

    start: int  # the number of its first word
    phrase: Phrase
    meaning: M_co
    span: Span

    @property
    def text(self) -> str:
        """Its words, without the punctuation around them."""
        return self.span.text.strip(",;:!? ")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of a text, at most one of each meaning."""

    taken: tuple[Taken[Meaning], ...]
    left: tuple[str, ...] = ()  # what is told of others, which stay in the title

    @property
    def spans(self) -> list[Span]:
        """Their places."""
        return [each.span for each in self.taken]

    @property
    def end(self) -> Taken[Day] | None:
        """The day until which something is repeated."""
        return next((each for each in self._of(Day) if each.meaning.is_end), None)

    def one(self, meaning: type[N]) -> Taken[N] | None:
        """The phrase of a meaning."""
        return next((each for each in self._of(meaning) if not _is_end(each.meaning)), None)

    def _of(self, meaning: type[N]) -> Iterator[Taken[N]]:
        return (cast("Taken[N]", t) for t in self.taken if isinstance(t.meaning, meaning))


def phrases_of(text: str, tokens: list[Token], asked: Asked) -> Phrases:
    """The phrases of a text whose marked words are left out."""
    said = {token.bare for token in tokens}
    if said & words.UNTIL and said & words.REPEATING:
        found = _phrases(_Taking(text, tokens, asked, _GRAMMAR))
        if found.one(Repeat) is not None and found.end:  # every friday until 24 December
            return found
    return _phrases(_Taking(text, tokens, asked, (days_phrase, *_GRAMMAR)))


def _phrases(taking: "_Taking") -> Phrases:
    trailing = taking.trailing()
    leading = taking.leading(trailing)
    taken = [
        each for each in (*leading, *reversed(trailing)) if not isinstance(each.meaning, Unread)
    ]
    ranges = {each.start for each in trailing if isinstance(each.meaning, Unread)}
    return replace(_settled(taken), left=tuple(taking.left(taken, ranges)))


def _settled(taken: list[Taken[Meaning]]) -> Phrases:
    """Let `until friday` be the day on which something is due that is not repeated."""
    if any(isinstance(each.meaning, Repeat) for each in taken):
        return Phrases(tuple(taken))
    if any(_is_end(each.meaning) for each in taken):
        taken = [t for t in taken if _is_end(t.meaning) or not isinstance(t.meaning, Day | Moment)]
    return Phrases(tuple(_due(each) for each in taken))


def _due(taken: Taken[Meaning]) -> Taken[Meaning]:
    if not isinstance(taken.meaning, Day):
        return taken
    return replace(taken, meaning=replace(taken.meaning, is_end=False))


@dataclass(slots=True)
class _Taking:
    """Takes phrases from both ends of a text."""

    text: str
    tokens: list[Token]
    asked: Asked
    grammar: tuple[_Read, ...]

    def trailing(self) -> list[Taken[Meaning]]:
        """The phrases at the end of the text, the last one first."""
        found: list[Taken[Meaning]] = []
        end = len(self.tokens)
        while taken := self._last(end, found):
            found.append(taken)
            end = taken.start
        if found and isinstance(found[-1].meaning, Unread) and found[-1].phrase.is_shy:
            end = found.pop().phrase.end  # of pages, rather: no day or time is before it
        if found and end and self.tokens[end - 1].bare in words.GOVERNORS:
            return []
        return [*found[:-1], self._with_comma(found[-1])] if found else []

    def _with_comma(self, taken: Taken[Meaning]) -> Taken[Meaning]:
        """A phrase with the comma before it, which would have nothing to divide."""
        before = self.tokens[taken.start - 1] if taken.start else None
        if before is None or not before.is_cut_off or len(before.text) == 1:
            return taken
        span = replace(
            taken.span, start=before.end - 1, text=self.text[before.end - 1 : taken.span.end]
        )
        return replace(taken, span=span)

    def leading(self, trailing: list[Taken[Meaning]]) -> list[Taken[Meaning]]:
        """The phrases at the beginning of the text, in order."""
        found: list[Taken[Meaning]] = []
        begin, end = 0, trailing[-1].start if trailing else len(self.tokens)
        while begin < end and (phrases := self._at(begin, end, [*trailing, *found])):
            phrase = max(phrases, key=lambda each: each.end)
            if isinstance(phrase.meaning, Unread):
                break
            found.append(self._taken(begin, phrase))
            begin = phrase.end
        return found if self._may_lead(found, begin, end) else []

    def _may_lead(self, found: list[Taken[Meaning]], begin: int, end: int) -> bool:
        """Tell whether phrases at the beginning are none that the title begins with."""
        if not found or self.tokens[begin - 1].is_cut_off:
            return True
        if begin < end and self.tokens[begin].bare in words.FOLLOWERS:
            return False
        return len(found) > 1 or not found[0].phrase.is_shy

    def _last(self, end: int, others: list[Taken[Meaning]]) -> Taken[Meaning] | None:
        """The longest phrase that ends with a word."""
        is_alone = end == len(self.tokens)
        for start in range(max(0, end - LONGEST_PHRASE), end):
            for phrase in self._at(start, end, others):
                if phrase.end == end and not (phrase.is_word and is_alone):
                    return self._taken(start, phrase)
        return None

    def left(self, taken: list[Taken[Meaning]], ranges: set[int]) -> Iterator[str]:
        """Tell of ranges, and of phrases that say again what one that is taken says."""
        said = {name for each in taken for name in _said(each.meaning)}
        stops = {number for each in taken for number in range(each.start, each.phrase.end)}
        is_timed = "time" in said and not said & {"day", "repetition"}
        at = 0
        while at < len(self.tokens):
            furthest = min(at + LONGEST_PHRASE, len(self.tokens))
            end = next((number for number in range(at, furthest) if number in stops), furthest)
            phrases = self._at(at, end, []) if at < end else []
            phrase = max(phrases, key=lambda each: each.end, default=None)
            after = phrase.end if phrase else at + 1
            text = self._words(at, after)
            again = said & _said(phrase.meaning) if phrase else set()
            match phrase:
                case Phrase(meaning=Unread(what)) if at in ranges or not phrase.is_shy:
                    yield f"“{text}” stays in the title: {what} is not read."
                case Phrase(is_word=False) if again:
                    yield f"“{text}” stays in the title: {_ASPECTS[min(again)]} is given already."
                case _ if is_timed and at not in stops and self._has_weekday(at, after):
                    yield f"“{text}” stays in the title: no day is read from it."
            at = after

    def _has_weekday(self, start: int, end: int) -> bool:
        return any(each.bare.startswith(words.FULL_WEEKDAYS) for each in self.tokens[start:end])

    def _words(self, start: int, end: int) -> str:
        """Some words, without the punctuation around them."""
        text = self.text[self.tokens[start].start : self.tokens[end - 1].end]
        return text.strip(",;:!? ")

    def _at(self, start: int, end: int, others: list[Taken[Meaning]]) -> list[Phrase]:
        """The phrases that begin with a word and say what no other one says."""
        said = {name for each in others for name in _said(each.meaning)}
        found = []
        limit = self._unbroken(start, end)
        for read in self.grammar:
            try:
                phrase = read(Reader(self.tokens, start, limit), self.asked)
            except (OverflowError, ValueError):  # beyond the last year
                continue
            if phrase and not said & _said(phrase.meaning) and not self._cuts(start, phrase.end):
                found.append(phrase)
        return found

    def _cuts(self, *places: int) -> bool:
        """Tell whether one of the places is within a word."""
        return any(at < len(self.tokens) and self.tokens[at].is_joined for at in places)

    def _unbroken(self, start: int, end: int) -> int:
        """The end of the words that no marked word divides: a phrase is in one piece."""
        stop = start + 1
        while (
            stop < min(end, start + LONGEST_PHRASE)
            and self.tokens[stop].number == self.tokens[stop - 1].number + 1
        ):
            stop += 1
        return stop

    def _taken(self, start: int, phrase: Phrase) -> Taken[Meaning]:
        first, last = self.tokens[start].start, self.tokens[phrase.end - 1].end
        span = Span(first, last, _KINDS[type(phrase.meaning)], self.text[first:last])
        return Taken(start, phrase, phrase.meaning, span)


def _said(meaning: Meaning) -> set[str]:
    """The aspects that a phrase is about, each of which one phrase is about."""
    match meaning:
        case Moment():
            return {"day", "time"}
        case Day(is_end=True):
            return {"end"}
        case Day():
            return {"day"}
        case Clock():
            return {"time"}
        case Repeat():
            return {"repetition"}
        case Unread(what):
            return {what}


def _is_end(meaning: object) -> bool:
    return isinstance(meaning, Day) and meaning.is_end
