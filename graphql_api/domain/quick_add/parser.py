"""`read`: one line of text becomes the fields of a task. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from graphql_api.domain.quick_add.dates import told
from graphql_api.domain.quick_add.marks import marks_of
from graphql_api.domain.quick_add.model import (
    MAX_TEXT_LENGTH,
    TEXT,
    Asked,
    Clock,
    Day,
    Moment,
    QuickAdd,
    Repeat,
    Span,
)
from graphql_api.domain.quick_add.phrases import Phrases, Taken, phrases_of
from graphql_api.domain.quick_add.tokens import tokens_of
from graphql_api.domain.recurrence.days import FIRST_YEAR, LAST_YEAR, Days
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.tasks.model import MAX_TITLE_LENGTH
from graphql_api.domain.text import is_invisible
from graphql_api.errors import FIELD, BadUserInput

NOON = 12
_DAY = timedelta(1)


def read(text: str, asked: Asked) -> QuickAdd:
    """Read a text. Raises BadUserInput."""
    if not 1 <= len(text) <= MAX_TEXT_LENGTH or is_invisible(text):
        raise BadUserInput(
            f"{FIELD} must have 1 to {MAX_TEXT_LENGTH} characters, one of them visible.", TEXT
        )
    if not FIRST_YEAR + 1 < asked.now.year < LAST_YEAR - 1:
        raise BadUserInput(f"{FIELD} must be in the years {FIRST_YEAR} to {LAST_YEAR}.", "now")
    tokens = tokens_of(text)
    marks = marks_of(text, tokens, asked.projects)
    rest = [token for number, token in enumerate(tokens) if number not in marks.taken]
    phrases = phrases_of(text, rest, asked)
    spans = sorted([*marks.spans, *phrases.spans], key=lambda span: span.start)
    title = _title(text, spans)
    if not title:  # what would leave nothing for the title is the title
        return QuickAdd(title=_checked_title(" ".join(text.split())))
    when = _When(phrases, asked)
    when.settle()
    return QuickAdd(
        title=_checked_title(title),
        due_at=when.due_at,
        due_on=when.due_on,
        recurrence=when.recurrence,
        tags=tuple(marks.tags.values()),
        priority=marks.priority,
        project_id=marks.project_id,
        duration_minutes=marks.duration_minutes,
        spans=tuple(spans),
        ambiguities=(*when.ambiguities, *phrases.left, *marks.ambiguities),
    )


def _title(text: str, spans: list[Span]) -> str:
    """All that no span has, with single spaces; empty if it shows nothing."""
    left, at = [], 0
    for span in spans:
        left.append(text[at : span.start])
        at = span.end
    title = " ".join(" ".join([*left, text[at:]]).split())
    return "" if is_invisible(title.strip(".,;:!?-")) else title


def _checked_title(title: str) -> str:
    if len(title) > MAX_TITLE_LENGTH:
        raise BadUserInput(
            f"{FIELD} leaves a title of {len(title)} characters: at most {MAX_TITLE_LENGTH} are"
            " allowed.",
            TEXT,
        )
    return title


class _When:
    """The phrases together: when the task is due, and when it comes again."""

    def __init__(self, phrases: Phrases, asked: Asked) -> None:
        self._phrases, self._asked = phrases, asked
        self.due_at: datetime | None = None
        self.due_on: date | None = None
        self.recurrence: Recurrence | None = None
        self.ambiguities: list[str] = []

    def settle(self) -> None:
        """Put the day, the time and the rule together. Raises BadUserInput."""
        day, at = self._day_and_time()
        if repeat := self._phrases.one(Repeat):
            day = self._recur(repeat, day)
        if moment := self._phrases.one(Moment):
            self._set_instant(moment.meaning.at)
        elif day and at:
            self._set_instant(self._instant(day, at))
        else:
            self.due_on = day
        self._tell_past(day)

    def _day_and_time(self) -> tuple[date | None, time | None]:
        """The local day and time; the rule of a repetition may need a later day."""
        found, clock = self._phrases.one(Day), self._phrases.one(Clock)
        at = clock.meaning.at if clock else None
        repeat = self._phrases.one(Repeat)
        each = repeat.meaning.part if repeat else None
        if repeat and each and not clock:
            self._tell(repeat, f"{each:%H:%M}")
        if found is None:
            at = _within(each, at)
            return self._coming(None if each else clock, at), at
        day, part = found.meaning, found.meaning.part
        if clock and clock.phrase.reading and not part:
            self._tell(clock, clock.phrase.reading)
        at = _within(part or each, at)
        is_today = day.is_also_today and at is not None and at > self._asked.now.time()
        on = self._asked.today if is_today else day.day
        reading = told(on) if is_today else found.phrase.reading
        if part and not clock:
            reading = f"{told(on)} at {part:%H:%M}"
        if reading:
            self._tell(found, reading)
        return on, at

    def _coming(self, clock: Taken[Clock] | None, at: time | None) -> date | None:
        """The day of a time without one: today, or tomorrow if it has passed."""
        if at is None:
            return None
        has_passed = at <= self._asked.now.time()
        day = self._asked.today + (_DAY if has_passed else _DAY * 0)
        if clock is None:
            return day
        if has_passed and not self._phrases.one(Repeat):
            self._tell(clock, f"{told(day)} at {at:%H:%M}")
        elif clock.phrase.reading:
            self._tell(clock, clock.phrase.reading)
        return day

    def _recur(self, repeat: Taken[Repeat], day: date | None) -> date:
        """Keep the recurrence, and return its first day from a day on. Raises BadUserInput."""
        rule, end = repeat.meaning.rrule, self._phrases.end
        if end:
            rule += f";UNTIL={end.meaning.day:%Y%m%d}"
        moment, given = self._phrases.one(Moment), self._phrases.one(Day)
        begin = moment.meaning.at.date() if moment else day or self._asked.today
        self.recurrence = Recurrence.checked(rule, self._asked.timezone)
        parsed = replace(self.recurrence.rule, interval=1)
        days = Days.of(parsed, begin, clamped=self.recurrence.is_clamped)
        first = next(days.since(begin))
        if end and end.meaning.day < first:
            raise BadUserInput(f"{FIELD} ends its repetition before it begins.", TEXT)
        if repeat.phrase.reading:
            self._tell(repeat, repeat.phrase.reading)
        if first != begin and (moment or given):
            self._tell(repeat, f"beginning on {told(first)}")
        return first

    def _instant(self, day: date, at: time) -> datetime:
        """A local time as an instant, and a word if the clock does not show it exactly once."""
        local = datetime.combine(day, at, ZoneInfo(self._asked.timezone))
        shown = local.astimezone(UTC).astimezone(local.tzinfo)
        if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
            self.ambiguities.append(
                f"The clock skips {at:%H:%M} on {told(day)}: read as {shown:%H:%M}."
            )
        elif local.utcoffset() != local.replace(fold=1).utcoffset():
            self.ambiguities.append(
                f"The clock shows {at:%H:%M} twice on {told(day)}: read as the first."
            )
        return local

    def _set_instant(self, at: datetime) -> None:
        self.due_at = at.astimezone(UTC)

    def _tell_past(self, day: date | None) -> None:
        if self.due_at and self.due_at < self._asked.now.astimezone(UTC):
            self.ambiguities.append("This time has passed.")
        elif self.due_on and day and day < self._asked.today:
            self.ambiguities.append("This day has passed.")

    def _tell(self, taken: Taken[object], reading: str) -> None:
        self.ambiguities.append(f"“{taken.text}” read as {reading}.")


def _within(part: time | None, at: time | None) -> time | None:
    """The time of day that a part of it says; `evening` says which one `at 8` is."""
    if at and part and part.hour > NOON and at.hour < NOON:
        return at.replace(hour=at.hour + NOON)
    return at or part
