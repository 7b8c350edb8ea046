"""The planner's input and output: immutable values that check themselves, field by field."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.minutes import DAY, floor
from graphql_api.errors import FIELD, BadUserInput, named

ALGORITHM = 12  # part of the input hash: raise it whenever the same input gets another plan

MAX_TASKS = 2_000  # in a plan
MAX_HORIZON_DAYS = 60
MAX_DURATION = MAX_HORIZON_DAYS * DAY  # minutes of a task
MAX_WEIGHT = 1_000
MAX_BLOCKERS = 50  # of a task
MAX_BUFFER = 240  # minutes
MAX_SLACK = 90  # percent of a day
TIDY = 5  # minutes, to a multiple of which the slack of a day is rounded up
MAX_PIECES = 20_000  # that are fixed, or of the previous plan
MAX_HOURS_A_DAY = 24  # intervals of working hours
MAX_SCHEDULES = 10
YEARS = range(1970, 9_000)


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time from `start` until `end`, both timezone-aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """A task to schedule.

    A task of zero minutes is a milestone: it is reached as soon as its blockers are finished, at
    any time of day. A blocker that is not among the request's tasks is open and unplaced, and so is
    one that lacks minutes: it is not finished in the plan.
    `planned` is where the task is scheduled now: its pieces, or one interval around all of them.
    Raises BadUserInput.
    """

    task_id: str
    duration_minutes: int
    title: str = ""
    version: int = 1
    not_before: datetime | None = None
    deadline: datetime | None = None
    deadline_is_hard: bool = False  # never finish later, rather leave the task out
    min_chunk_minutes: int = 0  # length of the shortest piece; 0: never split
    max_chunk_minutes: int | None = None  # length of the longest piece
    weight: int = 1  # importance, from priority
    blocked_by: tuple[str, ...] = ()
    planned: tuple[Interval, ...] = ()
    schedule: str = ""  # the named hours in which it is done; empty: the working hours
    lacking_minutes: int = 0  # besides its duration, for which the plan has no time

    def __post_init__(self) -> None:
        _check_range(self.duration_minutes, 0, MAX_DURATION, "duration_minutes")
        _check_range(self.min_chunk_minutes, 0, MAX_DURATION, "min_chunk_minutes")
        if self.max_chunk_minutes is not None:
            least = max(1, 2 * self.min_chunk_minutes)
            _check_range(self.max_chunk_minutes, least, MAX_DURATION, "max_chunk_minutes")
        _check_range(self.weight, 1, MAX_WEIGHT, "weight")
        _check_count(self.blocked_by, MAX_BLOCKERS, "blocked_by")
        _check_instant(self.not_before, "not_before")
        _check_instant(self.deadline, "deadline")
        _check_intervals(self.planned, "planned")
        object.__setattr__(self, "blocked_by", tuple(sorted(set(self.blocked_by))))
        object.__setattr__(self, "planned", tuple(sorted(self.planned, key=_start)))


Hours = tuple[time, time]


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A person's working hours in local time.

    `weekly` has the hours of each weekday from Monday on, as (start, end); breaks are the gaps
    between them. The last hours of a day may end on the next day: an end that is not after its
    start belongs to the next day, so 22:00-06:00 is a night shift and 00:00-00:00 a whole day. A
    day off removes the hours that start on it. Raises BadUserInput.
    """

    weekly: tuple[tuple[Hours, ...], ...]
    days_off: tuple[date, ...] = ()
    timezone: str = "UTC"  # IANA

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:  # noqa: PLR2004 (a week)
            raise BadUserInput("weekly must have seven days of hours, Monday first.", "weekly")
        for hours in self.weekly:
            _check_count(hours, MAX_HOURS_A_DAY, "weekly")
            _check_order(hours)
        _check_nights(self.weekly)
        _check_timezone(self.timezone)
        object.__setattr__(self, "days_off", tuple(sorted(set(self.days_off))))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Named hours, in which tasks are done that name them, whatever the working hours are."""

    name: str
    hours: WorkingHours


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """A piece of a task that has its time."""

    task_id: str
    start: datetime
    end: datetime

    @property
    def interval(self) -> Interval:
        """The time of the piece."""
        return Interval(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffers:
    """Time that stays free.

    Minutes between blocks, and on both sides of busy times; and on each local day a share of its
    free time, and all beyond so many minutes of work. A day's limit is given up where a task would
    be late or left out for it. `break_minutes` are between the pieces of a task that has a longest
    one, if no more. Raises BadUserInput.
    """

    after_block: int = 0
    around_busy: int = 0
    daily_slack_percent: int = 0
    max_minutes_per_day: int | None = None
    break_minutes: int = 15

    def __post_init__(self) -> None:
        _check_range(self.after_block, 0, MAX_BUFFER, "after_block")
        _check_range(self.around_busy, 0, MAX_BUFFER, "around_busy")
        _check_range(self.break_minutes, 0, MAX_BUFFER, "break_minutes")
        _check_range(self.daily_slack_percent, 0, MAX_SLACK, "daily_slack_percent")
        if self.max_minutes_per_day is not None:
            _check_range(self.max_minutes_per_day, 1, DAY, "max_minutes_per_day")

    @property
    def limits_days(self) -> bool:
        """Return whether there is a limit of work a day."""
        return bool(self.daily_slack_percent) or self.max_minutes_per_day is not None

    def limit(self, minutes: int) -> int:
        """Minutes of work on a day with so many free ones."""
        slack = -(-minutes * self.daily_slack_percent // (100 * TIDY)) * TIDY
        share = max(0, minutes - slack)
        return share if self.max_minutes_per_day is None else min(share, self.max_minutes_per_day)


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Everything that a plan depends on: equal requests get equal plans, byte for byte.

    The plan covers `horizon_days` times 24 hours from `from_`, rounded up to a minute.
    `keep_current` keeps a planned task where it is as long as that breaks no rule.

    `fixed` pieces stay where they are, within working hours or not: what is running, or pinned. The
    duration of their task is what is left to do besides them; a task that is not planned counts,
    for those that it blocks, as finished with its last fixed piece. `previous` pieces are those of
    the plan before, to stay near to: all that begin before `freeze_until` stay, and at most
    `max_moves` tasks move that need not. A `fresh` plan stays near to nothing. With `partial`, a
    task for which there is not enough time gets what there is, and what waits for it no place. A
    task that names a schedule which is not among `schedules` is done in the working hours. Raises
    BadUserInput; a cycle of blockers is refused with its `path` of ids.
    """

    tasks: tuple[PlanTask, ...]
    hours: WorkingHours
    from_: datetime
    busy: tuple[Interval, ...] = ()
    horizon_days: int = 14
    keep_current: bool = False
    fixed: tuple[Placement, ...] = ()
    previous: tuple[Placement, ...] = ()
    freeze_until: datetime | None = None
    max_moves: int | None = None
    partial: bool = False
    fresh: bool = False
    buffers: Buffers = field(default_factory=Buffers)
    schedules: tuple[Schedule, ...] = ()

    def __post_init__(self) -> None:
        _check_range(self.horizon_days, 1, MAX_HORIZON_DAYS, "horizon_days")
        _check_instant(self.from_, "from")
        _check_instant(self.freeze_until, "freeze_until")
        _check_count(self.tasks, MAX_TASKS, "tasks")
        if self.max_moves is not None:
            _check_range(self.max_moves, 0, MAX_TASKS, "max_moves")
        if self.fresh and (self.keep_current or self.max_moves is not None):
            others = f"{named('keep_current')} and {named('max_moves')}"
            raise BadUserInput(f"{FIELD} goes without {others}.", "fresh")
        _check_count(self.schedules, MAX_SCHEDULES, "schedules")
        _check_count(self.fixed, MAX_PIECES, "fixed")
        _check_count(self.previous, MAX_PIECES, "previous")
        _check_intervals(self.busy, "busy")
        _check_intervals(self.fixed, "fixed")
        _check_intervals(self.previous, "previous")
        _check_distinct(self.tasks)
        object.__setattr__(self, "tasks", tuple(sorted(self.tasks, key=lambda t: t.task_id)))
        object.__setattr__(self, "busy", tuple(sorted(self.busy, key=_start)))
        object.__setattr__(self, "fixed", tuple(sorted(self.fixed)))
        object.__setattr__(self, "previous", tuple(sorted(self.previous)))
        _ = self.ordered  # raises on cycles

    def around(self, times: Iterable[Interval]) -> "PlanRequest":
        """The request with those of more busy times that are within the plan."""
        end = self.from_ + timedelta(days=self.horizon_days, minutes=1)
        more = tuple(each for each in times if each.end > self.from_ and each.start < end)
        return replace(self, busy=(*self.busy, *more)) if more else self

    @cached_property
    def weeks(self) -> dict[str, WorkingHours]:
        """The schedules that tasks are done in, by name."""
        named = {task.schedule for task in self.tasks}
        return {each.name: each.hours for each in self.schedules if each.name in named}

    @cached_property
    def ordered(self) -> tuple[PlanTask, ...]:
        """The tasks in topological order: each after its blockers, independent of input order."""
        return _blockers_first(self.tasks)

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 of the request and the algorithm's version, independent of the tasks' order.

        Equal hashes mean equal plans, given the same time zone data.
        """
        longest = {t.task_id: t.max_chunk_minutes for t in self.tasks if t.max_chunk_minutes}
        pieces = [longest, self.buffers.break_minutes] if longest else []
        text = json.dumps([ALGORITHM, self, *pieces], default=_to_json, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class ReasonCode(Enum):
    """A reason for the place of a block, for programs."""

    FIXED = "fixed"
    KEPT = "kept"
    FIRST_FREE_TIME = "first_free_time"
    AFTER_BLOCKER = "after_blocker"
    NOT_BEFORE = "not_before"
    OTHERS_FIRST = "others_first"
    URGENCY = "urgency"
    DEADLINE = "deadline"
    LATE = "late"
    SPLIT = "split"
    MILESTONE = "milestone"
    SCHEDULE = "schedule"
    NO_SCHEDULE = "no_schedule"
    NOT_FREE = "not_free"
    CHANGED = "changed"
    FRESH = "fresh"
    LIGHTER_FIRST = "lighter_first"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for programs (`code`) and people (`text`); `task_ids` are other tasks it names."""

    code: ReasonCode
    text: str
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A scheduled piece of a task, number `part` of `parts`; times in UTC."""

    task_id: str
    start: datetime
    end: datetime
    part: int
    parts: int
    reasons: tuple[Reason, ...]


class UnplacedCode(Enum):
    """A reason for leaving a task out, for programs."""

    BLOCKER_UNPLACED = "blocker_unplaced"
    STARTS_AFTER_HORIZON = "starts_after_horizon"
    DEADLINE_PASSED = "deadline_passed"
    DEADLINE_TOO_SOON = "deadline_too_soon"
    NO_WINDOW_LONG_ENOUGH = "no_window_long_enough"
    HORIZON_TOO_SHORT = "horizon_too_short"
    NO_TIME_LEFT = "no_time_left"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A task that could not be scheduled, for lack of `missing_minutes` of free time.

    `task_ids` are its unplaced blockers.
    """

    task_id: str
    code: UnplacedCode
    text: str
    missing_minutes: int
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A task that finishes after its deadline: a soft one, or with a fixed piece."""

    task_id: str
    late_minutes: int


@dataclass(frozen=True, slots=True)
class Move:
    """A piece of the previous plan that is elsewhere now, or nowhere (`to` is None), and why."""

    task_id: str
    from_: Interval
    to: Interval | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Overload:
    """A local day with `minutes` more work than time, and the tasks whose work that is."""

    day: date
    minutes: int
    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule: blocks and moves by time; unplaced and late tasks by id; overload by day.

    `stopped_early` tells that the search for a better one reached its limit of work.
    """

    blocks: tuple[Block, ...]
    unplaced: tuple[Unplaced, ...]
    at_risk: tuple[AtRisk, ...]
    cost: int
    stopped_early: bool
    input_hash: str
    moved: tuple[Move, ...] = ()
    overload: tuple[Overload, ...] = ()

    @property
    def pieces(self) -> dict[str, tuple[Interval, ...]]:
        """Intervals of each scheduled task by id, in the form of `PlanTask.planned`."""
        pieces: dict[str, tuple[Interval, ...]] = {}
        for block in self.blocks:
            piece = Interval(block.start, block.end)
            pieces[block.task_id] = (*pieces.get(block.task_id, ()), piece)
        return pieces


def whole_minutes(span: "Interval | Placement | Block") -> tuple[int, int]:
    """The minutes from which and until which something lasts, both rounded down."""
    return floor(span.start), floor(span.end)


def _start(interval: "Interval | Placement") -> tuple[datetime, datetime]:
    return interval.start, interval.end


def _check_range(value: int, low: int, high: int, field: str) -> None:
    if type(value) is not int or not low <= value <= high:  # archives may have anything
        raise BadUserInput(f"{FIELD} must be from {low} to {high}.", field)


def _check_count(values: Sequence[Any], limit: int, field: str) -> None:
    if len(values) > limit:
        raise BadUserInput(f"{FIELD} must have at most {limit} items.", field)


def _check_instant(at: datetime | None, field: str) -> None:
    if at is None:
        return
    if at.tzinfo is None:
        raise BadUserInput(f"{FIELD} must have an offset from UTC.", field)
    if at.year not in YEARS:
        raise BadUserInput(f"{FIELD} must be in the years {YEARS[0]} to {YEARS[-1]}.", field)


def _check_intervals(intervals: "Iterable[Interval | Placement]", field: str) -> None:
    for interval in intervals:
        _check_instant(interval.start, field)
        _check_instant(interval.end, field)
        if interval.end < interval.start:
            raise BadUserInput(f"{FIELD} must not end before it starts.", field)


def _minute(at: time) -> int:
    if at.second or at.microsecond or at.tzinfo:
        raise BadUserInput(
            "Hours must be whole minutes in local time, without an offset.", "weekly"
        )
    return at.hour * 60 + at.minute


def _spans(hours: Iterable[Hours]) -> list[tuple[int, int]]:
    """Hours as minutes since midnight; an end on the next day is above 24 * 60."""
    spans = [(_minute(start), _minute(end)) for start, end in hours]
    return [(start, end if end > start else end + DAY) for start, end in spans]


def _check_order(hours: Sequence[Hours]) -> None:
    spans = sorted(_spans(hours))
    if any(end > DAY for _, end in spans[:-1]):
        raise BadUserInput("Only the last hours of a day may end on the next day.", "weekly")
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise BadUserInput("The hours of a day must not overlap.", "weekly")


def _check_nights(weekly: Sequence[Sequence[Hours]]) -> None:
    for day, hours in enumerate(weekly):
        until = max((end - DAY for _, end in _spans(hours)), default=0)
        if any(start < until for start, _ in _spans(weekly[(day + 1) % 7])):
            raise BadUserInput(
                "Hours that end on the next day must not overlap that day's hours.", "weekly"
            )


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # missing, a directory, or no name at all
        raise BadUserInput(f"{name!r:.50} is not an IANA time zone.", "timezone") from None


def _check_distinct(tasks: Sequence[PlanTask]) -> None:
    if len({task.task_id for task in tasks}) < len(tasks):
        raise BadUserInput("A task can be planned only once.", "tasks")


def _blockers_first(tasks: Sequence[PlanTask]) -> tuple[PlanTask, ...]:
    by_id = {task.task_id: task for task in tasks}
    graph = {task.task_id: task.blocked_by for task in tasks}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        path = error.args[1]
        raise BadUserInput(
            f"Tasks block each other in a cycle: {', '.join(path)}.", "blocked_by", path=path
        ) from None
    return tuple(by_id[task_id] for task_id in order if task_id in by_id)


_APART = {"max_chunk_minutes", "break_minutes"}  # hashed only where there are longest pieces


@cache
def _hashed(cls: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.name not in _APART)


def _to_json(value: Any) -> str | dict[str, Any]:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value):  # not asdict(), which copies each value
        kind: Any = type(value)
        return {name: getattr(value, name) for name in _hashed(kind)}
    return str(value.value) if isinstance(value, Enum) else str(value.isoformat())
