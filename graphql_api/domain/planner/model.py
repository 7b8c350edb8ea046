"""What a plan is made from and what it says; what cannot be meant is refused by field. Pure."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.minutes import DAY
from graphql_api.errors import BadUserInput

ALGORITHM = 2  # part of the input's hash: goes up whenever the same input gets another plan

TASKS = 2_000  # a plan
HORIZON_DAYS = 60
LONGEST_TASK = HORIZON_DAYS * DAY  # minutes
LARGEST_WEIGHT = 1_000
BLOCKERS = 50  # a task
BUSY = 5_000  # intervals
HOURS_A_DAY = 24  # intervals
DAYS_OFF = 1_000
YEARS = range(1970, 9_000)


class DeadlineKind(Enum):
    """What a deadline means: never later, or later if need be."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Interval:
    """The time from `start` until `end`, both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """A task to be planned.

    A task of no minutes is a milestone: it is reached as soon as its blockers are done, at any
    time of day. A blocker that is not among the request's tasks is open and has no place in the
    plan. `planned` is where the task stands now: its pieces, or one interval around them.
    Raises BadUserInput.
    """

    task_id: str
    duration_minutes: int
    title: str = ""
    version: int = 1
    not_before: datetime | None = None
    deadline: datetime | None = None
    deadline_kind: DeadlineKind = DeadlineKind.SOFT
    min_chunk_minutes: int = 0  # the shortest piece; 0: never split
    weight: int = 1  # how much it matters: priority, urgency
    blocked_by: tuple[str, ...] = ()
    planned: tuple[Interval, ...] = ()

    def __post_init__(self) -> None:
        _within(self.duration_minutes, 0, LONGEST_TASK, "durationMinutes")
        _within(self.min_chunk_minutes, 0, LONGEST_TASK, "minChunkMinutes")
        _within(self.weight, 1, LARGEST_WEIGHT, "weight")
        _at_most(self.blocked_by, BLOCKERS, "blockedBy")
        _instant(self.not_before, "notBefore")
        _instant(self.deadline, "deadline")
        _upright(self.planned, "planned")
        object.__setattr__(self, "blocked_by", tuple(sorted(set(self.blocked_by))))
        object.__setattr__(self, "planned", tuple(sorted(self.planned, key=_start)))


Hours = tuple[time, time]


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a person works, by the clock on their wall.

    `weekly` has the hours of each weekday from Monday on, as (start, end); breaks are the time
    between them. The last hours of a day may end on the next one: an end that is not after the
    start is the next day's, so 22:00-06:00 is a night and 00:00-00:00 a whole day. A day off
    takes away the hours that start on it. Raises BadUserInput.
    """

    weekly: tuple[tuple[Hours, ...], ...]
    days_off: tuple[date, ...] = ()
    timezone: str = "UTC"  # IANA

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:  # noqa: PLR2004 (a week)
            raise BadUserInput("weekly has the hours of seven days, from Monday on.", "weekly")
        for hours in self.weekly:
            _at_most(hours, HOURS_A_DAY, "weekly")
            _in_order(hours)
        _not_into_each_other(self.weekly)
        _at_most(self.days_off, DAYS_OFF, "daysOff")
        _known_zone(self.timezone)
        object.__setattr__(self, "days_off", tuple(sorted(set(self.days_off))))


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """Everything that a plan depends on: the same request gives the same plan, byte by byte.

    The plan reaches from `from_`, rounded up to a minute, over `horizon_days` times 24 hours.
    `keep_current` leaves a planned task where it is as long as it is right there. Raises
    BadUserInput; tasks that block each other in a circle are refused with its `path` of ids.
    """

    tasks: tuple[PlanTask, ...]
    hours: WorkingHours
    from_: datetime
    busy: tuple[Interval, ...] = ()
    horizon_days: int = 14
    keep_current: bool = False

    def __post_init__(self) -> None:
        _within(self.horizon_days, 1, HORIZON_DAYS, "horizonDays")
        _instant(self.from_, "from")
        _at_most(self.tasks, TASKS, "tasks")
        _at_most(self.busy, BUSY, "busy")
        _upright(self.busy, "busy")
        _distinct(self.tasks)
        object.__setattr__(self, "tasks", tuple(sorted(self.tasks, key=lambda t: t.task_id)))
        object.__setattr__(self, "busy", tuple(sorted(self.busy, key=_start)))
        _ = self.ordered  # refuses circles

    @cached_property
    def ordered(self) -> tuple[PlanTask, ...]:
        """The tasks, each after its blockers, in one order whatever order they were given in."""
        return _blockers_first(self.tasks)

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 of the request, whatever the order of its tasks, and of the algorithm's number.

        Equal hashes have equal plans, on the same time zone data.
        """
        text = json.dumps([ALGORITHM, asdict(self)], default=_plain, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class ReasonCode(Enum):
    """Why a block is where it is."""

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


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, for programs and for people; `task_ids` are the other tasks that it is about."""

    code: ReasonCode
    text: str
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a task, part `part` of `parts`, at a time in UTC."""

    task_id: str
    start: datetime
    end: datetime
    part: int
    parts: int
    reasons: tuple[Reason, ...]


class UnplacedCode(Enum):
    """Why a task has no place in the plan."""

    BLOCKER_UNPLACED = "blocker_unplaced"
    STARTS_AFTER_HORIZON = "starts_after_horizon"
    DEADLINE_PASSED = "deadline_passed"
    DEADLINE_TOO_SOON = "deadline_too_soon"
    NO_WINDOW_LONG_ENOUGH = "no_window_long_enough"
    HORIZON_TOO_SHORT = "horizon_too_short"
    NO_TIME_LEFT = "no_time_left"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A task without a place; `missing_minutes` are those that the plan leaves no room for.

    `task_ids` are the blockers that have no place either.
    """

    task_id: str
    code: UnplacedCode
    text: str
    missing_minutes: int
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A task that will be late for its soft deadline."""

    task_id: str
    late_minutes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """When to do what: blocks by time, and what is left out or late by task."""

    blocks: tuple[Block, ...]
    unplaced: tuple[Unplaced, ...]
    at_risk: tuple[AtRisk, ...]
    cost: int
    input_hash: str

    @property
    def pieces(self) -> dict[str, tuple[Interval, ...]]:
        """Where each placed task stands, as `PlanTask.planned` takes it."""
        found: dict[str, tuple[Interval, ...]] = {}
        for block in self.blocks:
            piece = Interval(block.start, block.end)
            found[block.task_id] = (*found.get(block.task_id, ()), piece)
        return found


def _start(interval: Interval) -> tuple[datetime, datetime]:
    return interval.start, interval.end


def _within(value: int, low: int, high: int, field: str) -> None:
    if not low <= value <= high:
        raise BadUserInput(f"{field} must be from {low} to {high}.", field)


def _at_most(values: Sequence[Any], most: int, field: str) -> None:
    if len(values) > most:
        raise BadUserInput(f"{field} has at most {most} items.", field)


def _instant(at: datetime | None, field: str) -> None:
    if at is None:
        return
    if at.tzinfo is None:
        raise BadUserInput(f"{field} must have an offset from UTC.", field)
    if at.year not in YEARS:
        raise BadUserInput(f"{field} must be in the years {YEARS[0]} to {YEARS[-1]}.", field)


def _upright(intervals: Iterable[Interval], field: str) -> None:
    for interval in intervals:
        _instant(interval.start, field)
        _instant(interval.end, field)
        if interval.end < interval.start:
            raise BadUserInput(f"{field} must not end before it starts.", field)


def _minute(at: time) -> int:
    if at.second or at.microsecond or at.tzinfo:
        raise BadUserInput("Hours are whole minutes by the local clock.", "weekly")
    return at.hour * 60 + at.minute


def _spans(hours: Iterable[Hours]) -> list[tuple[int, int]]:
    """Hours as minutes of their day; an end on the next day is more than 24 * 60."""
    spans = [(_minute(start), _minute(end)) for start, end in hours]
    return [(start, end if end > start else end + DAY) for start, end in spans]


def _in_order(hours: Sequence[Hours]) -> None:
    spans = sorted(_spans(hours))
    if any(end > DAY for _, end in spans[:-1]):
        raise BadUserInput("Only the last hours of a day may end on the next day.", "weekly")
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise BadUserInput("The hours of a day must not overlap.", "weekly")


def _not_into_each_other(weekly: Sequence[Sequence[Hours]]) -> None:
    for day, hours in enumerate(weekly):
        until = max((end - DAY for _, end in _spans(hours)), default=0)
        if any(start < until for start, _ in _spans(weekly[(day + 1) % 7])):
            raise BadUserInput("The hours of a night must not overlap the next day's.", "weekly")


def _known_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # not there, a directory, not a name at all
        raise BadUserInput(f"{name!r:.50} is not an IANA time zone.", "timezone") from None


def _distinct(tasks: Sequence[PlanTask]) -> None:
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
            f"Tasks block each other: {', '.join(path)}.", "blockedBy", path=path
        ) from None
    return tuple(by_id[task_id] for task_id in order if task_id in by_id)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value.value) if isinstance(value, Enum) else str(value.isoformat())
