"""Series and their occurrences: which one is current, and which comes next. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from graphql_api import clock, ids
from graphql_api.domain.changes.model import Actor
from graphql_api.domain.due_days.model import DUE_AT, DUE_ON
from graphql_api.domain.records import immutable
from graphql_api.domain.recurrence import zone_data
from graphql_api.domain.recurrence.model import (
    PARTS,
    RRULE,
    Adjustment,
    MissedPolicy,
    Occurrence,
    OccurrenceStatus,
    Recurrence,
    RecurrenceAnchor,
    Start,
)
from graphql_api.domain.recurrence.occurrences import Occurrences
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import BadUserInput, below

MAX_MISSED = 50  # occurrences that one write records as missed: the latest ones
LOOKS_BACK = (timedelta(days=366), timedelta(days=3_660), timedelta(days=18_300))
"""Distances at which occurrences are looked for that were missed, until there are enough."""

RECURRENCE = "recurrence"


_DAY = timedelta(days=1)


@immutable
class Current:
    """An occurrence that is a task: its local day, and the instant if the rule gives it one."""

    task_id: str
    on: date
    at: datetime | None  # None for a whole day
    adjusted_for: Adjustment | None = None

    @property
    def due(self) -> datetime | date:
        """The instant or the day at which its task is due by the rule."""
        return self.at or self.on


@immutable
class Record:
    """The end of an occurrence: done, skipped or missed, when, and by whom."""

    on: date
    at: datetime | None
    status: OccurrenceStatus
    task_id: str | None  # None for one that was missed
    closed_at: datetime
    actor: Actor
    adjusted_for: Adjustment | None = None

    @property
    def closed_by(self) -> str:
        """The name of who has closed it."""
        return self.actor.name

    @property
    def key(self) -> str:
        """The place in the series: by day, then by task."""
        return f"{self.on.isoformat()}#{self.task_id or ''}"


@immutable
class Tally:
    """The numbers of a series' occurrences that have been, by what has become of them.

    `streak` are those done in a row: one that was skipped does not count, and does not end it;
    one that was missed does.
    """

    done: int = 0
    skipped: int = 0
    missed: int = 0
    streak: int = 0

    @property
    def rate(self) -> float | None:
        """The share of those done among those done and missed; None without any."""
        kept = self.done + self.missed
        return self.done / kept if kept else None

    def after(self, *, done: bool, missed: int) -> "Tally":
        """The tally once one more is done or skipped, and some after it are missed."""
        return Tally(
            done=self.done + done,
            skipped=self.skipped + (not done),
            missed=self.missed + missed,
            streak=0 if missed else self.streak + done,
        )

    @classmethod
    def of(cls, past: Iterable[Record]) -> "Tally":
        """The tally of records, the latest first."""
        tally = cls()
        for record in reversed(list(past)):
            if record.status is OccurrenceStatus.MISSED:
                tally = replace(tally, missed=tally.missed + 1, streak=0)
            else:
                tally = tally.after(done=record.status is OccurrenceStatus.DONE, missed=0)
        return tally


@immutable
class Series:
    """A recurrence with the occurrence that is current; it has one until it ends."""

    user_id: str
    series_id: str
    recurrence: Recurrence
    start: datetime | None  # the first occurrence; None if it is a whole day
    start_on: date | None = None
    current: Current
    number: int  # of the current occurrence, from 1
    created_at: datetime
    version: int = 1
    previous: Current | None = None  # what the current one has followed, while that can be undone
    missed: tuple[date, ...] = ()  # between the two
    tally: Tally = Tally()
    tally_before: Tally | None = None  # of what `previous` is
    zone_data: str = zone_data.UNKNOWN  # the version of it that the current instant is by
    bound_to: tuple[str, ...] = ()  # ids of what blocks the current one from its beginning
    ended_at: datetime | None = None
    lost: bool = False  # ended because its current task was deleted

    @classmethod
    def begin(cls, task: Task, recurrence: Recurrence, now: datetime) -> "Series":
        """A series whose first occurrence is a task. Raises BadUserInput."""
        if not task.open:
            raise BadUserInput("Only an open task can recur.", RECURRENCE)
        if task.due is None:
            raise BadUserInput("A task that recurs needs a due date or a due day.", DUE_AT)
        start = Start.of_due(task.due, recurrence.timezone)
        with below(RECURRENCE, only=PARTS):
            Occurrences(recurrence, start).check_first(DUE_ON if task.due_on else DUE_AT)
        return cls(
            user_id=task.user_id,
            series_id=ids.new_id(now),
            recurrence=recurrence,
            start=task.due_at,
            start_on=task.due_on,
            current=Current(task_id=task.task_id, on=start.day, at=task.due_at),
            number=1,
            created_at=clock.milliseconds(now),
            zone_data=zone_data.version(),
        )

    def restart(self, before: Task, task: Task, recurrence: Recurrence, now: datetime) -> "Series":
        """The series with another recurrence, of which its task is the first occurrence.

        If it has the same days, it goes on, unless the same write moves the task.
        """
        if recurrence.has_days_of(self.recurrence) and task.due in {before.due, self.current.due}:
            return self.change(recurrence)
        fresh = Series.begin(task, recurrence, now)
        return replace(
            fresh,
            series_id=self.series_id,
            created_at=self.created_at,
            version=self.version + 1,
            tally=self.tally,
        )

    def change(self, recurrence: Recurrence) -> "Series":
        """The series with another recurrence, which holds after the current occurrence.

        One with other days begins with the current occurrence; one with the same goes on from its
        own beginning, as the 31st after 28 February. Raises BadUserInput if nothing would come.
        """
        if recurrence == self.recurrence:
            return self
        after = self._with(recurrence=recurrence, previous=None, missed=())
        if not recurrence.has_days_of(self.recurrence):
            after = after.beginning_now()
        if next(after.upcoming(), None) is None:
            raise BadUserInput(
                "By this rule nothing comes after the current occurrence: end the series.",
                (RECURRENCE, RRULE),
            )
        return after

    def beginning_now(self) -> "Series":
        """The series as if the current occurrence was its first."""
        on = Start.of_due(self.current.due, self.recurrence.timezone).day
        return replace(
            self,
            start=self.current.at,
            start_on=None if self.current.at else on,
            current=replace(self.current, on=on),
            number=1,
        )

    def end(self, now: datetime, *, lost: bool = False) -> "Series":
        """The series after its end; `lost` if the current task is deleted."""
        if self.ended_at:
            return self
        return self._with(ended_at=clock.milliseconds(now), lost=lost, previous=None, missed=())

    def revive(self) -> "Series":
        """The series whose current task is there again after it was deleted."""
        return self._with(ended_at=None, lost=False)

    def advance(
        self, task_id: str, now: datetime, max_missed: int = MAX_MISSED
    ) -> tuple["Series", list[Occurrence]]:
        """The series when its current occurrence is closed, and the latest that were missed.

        The next one becomes current, as a task of this id; if there is none, the series ends.
        """
        if self.recurrence.anchor is RecurrenceAnchor.COMPLETION:
            missed: list[Occurrence] = []
            coming = next(self._from_completion(self._today(now)), None)
        else:
            passed, coming = self._scheduled(now)
            missed = passed[max(0, len(passed) - max_missed) :]
        if coming is None:
            ended = clock.milliseconds(now)
            days = tuple(each.on for each in missed)
            return self._with(ended_at=ended, previous=self.current, missed=days), missed
        current = Current(
            task_id=task_id, on=coming.on, at=coming.at, adjusted_for=coming.adjusted_for
        )
        after = self._with(
            current=current,
            previous=self.current,
            missed=tuple(each.on for each in missed),
            number=self.number + 1,
            zone_data=zone_data.version(),
        )
        return after, missed

    def count(self, *, done: bool, missed: int) -> "Series":
        """The series with one more occurrence that has been, and some that were missed."""
        return replace(
            self, tally=self.tally.after(done=done, missed=missed), tally_before=self.tally
        )

    def bind(self, blocker_ids: tuple[str, ...]) -> "Series":
        """The series whose current occurrence is blocked by these from its beginning."""
        return replace(self, bound_to=blocker_ids)

    def go_back(self) -> "Series":
        """The series before its last occurrence was closed."""
        if self.previous is None:
            return self
        number = self.number if self.ended_at else self.number - 1
        return self._with(
            current=self.previous,
            previous=None,
            missed=(),
            number=number,
            ended_at=None,
            tally=self.tally_before or self.tally,
        )

    def upcoming(self) -> Iterator[Occurrence]:
        """The occurrences after the current one; by completion as if each was done on its day."""
        if self.ended_at:
            return iter(())
        if self.recurrence.anchor is RecurrenceAnchor.COMPLETION:
            return self._from_completion(self.current.on)
        return self._occurrences.after(self.current.on)

    @property
    def begin_day(self) -> Start:
        """The local day and time of the first occurrence."""
        first = self.start or self.start_on or self.current.due
        return Start.of_due(first, self.recurrence.timezone)

    @property
    def _occurrences(self) -> Occurrences:
        return Occurrences(self.recurrence, self.begin_day)

    def _from_completion(self, done: date) -> Iterator[Occurrence]:
        count = self.recurrence.rule.count
        left = None if count is None else max(0, count - self.number)
        return islice(self._occurrences.from_completion(done), left)

    def _scheduled(self, now: datetime) -> tuple[list[Occurrence], Occurrence | None]:
        """The occurrences that are passed over, and the one that becomes current.

        Of a series that is years late, it looks no further back than for those to record.
        """
        passed: list[Occurrence] = []
        coming: Occurrence | None = None
        for back in LOOKS_BACK:
            begin = max(self.current.on, (now - back).date())
            if self.recurrence.missed is MissedPolicy.KEEP_ALL:
                begin = self.current.on
            passed, coming = self._until_coming(begin, now)
            if begin == self.current.on or len(passed) > MAX_MISSED:
                break
        if self.recurrence.missed is MissedPolicy.KEEP_ONE and passed:
            coming = passed.pop()
        return passed, coming

    def _until_coming(self, day: date, now: datetime) -> tuple[list[Occurrence], Occurrence | None]:
        """The occurrences after a day that are passed over, and the one after them."""
        passed: list[Occurrence] = []
        for each in self._occurrences.after(day):
            if not self._is_passed_over(each, now):
                return passed, each
            passed.append(each)
        return passed, None

    def _is_passed_over(self, each: Occurrence, now: datetime) -> bool:
        """Tell whether a later occurrence may become current in place of this one.

        A day that has begun is one to keep, but it is missed only once it has ended.
        """
        policy = self.recurrence.missed
        if policy is MissedPolicy.KEEP_ALL:
            return False
        if each.at:
            return each.at <= now
        today = self._today(now)
        return each.on <= today if policy is MissedPolicy.KEEP_ONE else each.on < today

    def _today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.recurrence.timezone)).date()

    def _with(self, **values: object) -> "Series":
        return replace(self, **values, version=self.version + 1)  # type: ignore[arg-type]  # each by its name


def following_task(task: Task, series: Series, now: datetime) -> Task:
    """The task of a series' current occurrence, made from the one before.

    What lies at a time of its own moves by as many days, at the same time of day.
    """
    current = series.current
    way = Movement.between(task.due or current.due, current.due, series.recurrence.timezone)
    return task.again(current.task_id, current.due, way.instant, now)


@dataclass(frozen=True, slots=True)
class Movement:
    """The way from one occurrence to another, by the local clock; between days, by whole days."""

    zone: ZoneInfo
    shift: timedelta

    @classmethod
    def between(cls, start: datetime | date, end: datetime | date, timezone: str) -> "Movement":
        """The way from one due date or day to another."""
        zone = ZoneInfo(timezone)
        shift = _wall_time(end, zone) - _wall_time(start, zone)
        if not (isinstance(start, datetime) and isinstance(end, datetime)):
            shift = timedelta(days=round(shift / _DAY))
        return cls(zone, shift)

    def instant(self, at: datetime) -> datetime:
        """The instant as far from another one; that one itself beyond the calendar."""
        try:
            local = _wall_time(at, self.zone) + self.shift
            return clock.milliseconds(local.replace(tzinfo=self.zone).astimezone(UTC))
        except OverflowError:
            return at

    def due(self, due: datetime | date | None) -> datetime | date | None:
        """The due date or day as far from another one."""
        if due is None or isinstance(due, datetime):
            return due and self.instant(due)
        return due + timedelta(days=round(self.shift / _DAY))


def _wall_time(due: datetime | date, zone: ZoneInfo) -> datetime:
    """The time that a clock of the zone shows; midnight of a day."""
    if isinstance(due, datetime):
        return due.astimezone(zone).replace(tzinfo=None)
    return datetime.combine(due, time())


def records(
    closed: Task, before: Series, missed: list[Occurrence], actor: Actor, now: datetime
) -> list[Record]:
    """The records to keep when the current occurrence of a series is closed."""
    status = OccurrenceStatus.DONE if closed.completed else OccurrenceStatus.SKIPPED
    at = clock.milliseconds(now)
    own = Record(
        on=before.current.on,
        at=before.current.at,
        status=status,
        task_id=closed.task_id,
        closed_at=at,
        actor=actor,
        adjusted_for=before.current.adjusted_for,
    )
    return [
        own,
        *(
            Record(
                on=each.on,
                at=each.at,
                status=OccurrenceStatus.MISSED,
                task_id=None,
                closed_at=at,
                actor=actor,
                adjusted_for=each.adjusted_for,
            )
            for each in missed
        ),
    ]
