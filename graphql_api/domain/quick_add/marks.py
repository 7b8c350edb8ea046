"""Marked words, wherever they are: `#tag`, `!high`, `@project`, `~30m`. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql_api.domain.quick_add import words
from graphql_api.domain.quick_add.model import ProjectName, Span, SpanKind
from graphql_api.domain.quick_add.tokens import Token
from graphql_api.domain.tasks.model import MAX_MINUTES, MAX_TAG_LENGTH, MAX_TAGS, TaskPriority
from graphql_api.domain.text import comparable

_TAG = re.compile(r"#([\w/.-]*\w)")
_PRIORITY = re.compile(r"!(\w+)")
_PROJECT = re.compile(r'@(?:"([^"]+)"|([\w/.&-]*\w))(?=[\s.,;:!?]|$)')
_DURATION = re.compile(
    r"~(?:(\d{1,4})|(?:(\d{1,3})(?:[.,](\d))?(?:h|std))?(?:(\d{1,4})(?:m|min)?)?)", re.ASCII
)
_BEHIND = ".,;:!?"  # a marked word is none of its
HOUR, TENTH = 60, 6  # minutes


Names: TypeAlias = dict[str, list[ProjectName]]  # by the name's comparable form


@dataclass(slots=True)
class Marks:
    """The meanings of marked words; a second one of a kind stays in the title."""

    tags: dict[str, str] = field(default_factory=dict)  # by their comparable form
    priority: TaskPriority | None = None
    project_id: str | None = None
    duration_minutes: int | None = None
    spans: list[Span] = field(default_factory=list)
    ambiguities: list[str] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)  # numbers of tokens

    def leave(self, token: Token, reason: str) -> None:
        """Tell that a marked word stays in the title."""
        self.ambiguities.append(f"“{token.text}” stays in the title: {reason}.")


def marks_of(text: str, tokens: list[Token], projects: Iterable[ProjectName]) -> Marks:
    """Read the marked words of a text."""
    marks = Marks()
    names: Names = {}
    for project in projects:
        names.setdefault(comparable(project.name), []).append(project)
    for number, token in enumerate(tokens):
        if found := _read(marks, text, token, names):
            end, kind = found
            if kind is SpanKind.DURATION:
                end = _with_unit(tokens, number, end)
            end += text[end : end + 1] in {",", ";", ":"}  # which would have nothing to divide
            marks.taken.update(_within(tokens, number, end))
            marks.spans.append(Span(token.start, end, kind, text[token.start : end]))
    return marks


def _with_unit(tokens: list[Token], number: int, end: int) -> int:
    """The end of a duration whose unit is a word of its own: `~45 min`."""
    is_bare = tokens[number].text[1:].isdigit() and number + 1 < len(tokens)
    unit = tokens[number + 1] if is_bare else None
    if unit is None or words.SHORT_UNITS.get(unit.bare) != words.MINUTE:
        return end
    return unit.start + len(unit.text.rstrip(_BEHIND))


def _within(tokens: list[Token], number: int, end: int) -> Iterable[int]:
    """The numbers of the tokens that end before a place: a quoted name has several."""
    while number < len(tokens) and tokens[number].start < end:
        yield number
        number += 1


def _read(marks: Marks, text: str, token: Token, names: Names) -> tuple[int, SpanKind] | None:
    """The end and the kind of a marked word; None if it is none, or stays in the title."""
    if token.text[0] == "@":
        return _project(marks, text, token, names)
    read = _READERS.get(token.text[0]) if token.word else None
    word = token.text.rstrip(_BEHIND)
    kind = read(marks, token, word) if read else None
    return (token.start + len(word), kind) if kind else None


def _tag(marks: Marks, token: Token, word: str) -> SpanKind | None:
    """A tag, which has a letter: `#42` is the number of something."""
    found = _TAG.fullmatch(word)
    if not found or not any(map(str.isalpha, found[1])):
        return None
    if len(found[1]) > MAX_TAG_LENGTH or len(marks.tags) == MAX_TAGS:
        marks.leave(token, "there are too many tags, or it is too long")
        return None
    marks.tags.setdefault(comparable(found[1]), found[1])
    return SpanKind.TAG


def _priority(marks: Marks, token: Token, word: str) -> SpanKind | None:
    found = _PRIORITY.fullmatch(word)
    priority = words.PRIORITIES.get(comparable(found[1])) if found else None
    if priority is None:
        return None
    if marks.priority:
        marks.leave(token, "a priority is given already")
        return None
    marks.priority = priority
    return SpanKind.PRIORITY


def _duration(marks: Marks, token: Token, word: str) -> SpanKind | None:
    """`~30m`, `~1h30m`, `~1.5h`, and minutes as `~30`."""
    found = _DURATION.fullmatch(word)
    minutes = _minutes(found) if found else 0
    if not 0 < minutes <= MAX_MINUTES:
        return None
    if marks.duration_minutes:
        marks.leave(token, "a duration is given already")
        return None
    marks.duration_minutes = minutes
    return SpanKind.DURATION


def _minutes(found: re.Match[str]) -> int:
    plain, hours, tenths, minutes = (int(each or 0) for each in found.groups())
    return plain + hours * HOUR + tenths * TENTH + minutes


def _project(marks: Marks, text: str, token: Token, names: Names) -> tuple[int, SpanKind] | None:
    """A project of the user; a name that none has stays in the title, which is told."""
    found = _PROJECT.match(text, token.start)
    if not found or (found[2] and not token.word):
        return None
    name = found[1] or found[2]
    projects = names.get(comparable(name), [])
    if not projects:
        marks.leave(token, f"no project is called “{name}”")
        return None
    if marks.project_id:
        marks.leave(token, "a project is given already")
        return None
    if len(projects) > 1:
        marks.ambiguities.append(f"{len(projects)} projects are called “{name}”: it is the first.")
    marks.project_id = projects[0].project_id
    return found.end(), SpanKind.PROJECT


_READERS: Mapping[str, Callable[[Marks, Token, str], SpanKind | None]] = {
    "#": _tag,
    "!": _priority,
    "~": _duration,
}
