"""The urgency of a task: a sum of terms, after Taskwarrior. Pure.

Each term is a coefficient times a value from 0 to 1, as https://taskwarrior.org/docs/urgency/
describes them; the defaults are those of Taskwarrior 3 (`urgency.*.coefficient` in taskrc(5)).
There is no term for what tasks here do not have (project, annotations). Two are added:
`priority_urgent`, as far above HIGH as that is above MEDIUM, and `inherited`, which is
`urgency.inherit` of taskrc(5): a task is 0.01 more urgent than the most urgent task that it
blocks, unless it is so anyway, so that a list shows blockers first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from math import fsum

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.errors import FIELD, BadUserInput

MAX_COEFFICIENT = 100.0  # in either direction
DIGITS = 3  # decimals of all that is shown, so that equal sums are equal everywhere
DAY = timedelta(days=1)
FULL_AGE = 365 * DAY
OVERDUE, FAR = 7 * DAY, 14 * DAY
FAR_VALUE = 0.2
TAG_VALUES = (0.0, 0.8, 0.9, 1.0)  # of no tag, one, two, and more
INHERITED_MARGIN = 0.01  # above the blocked task


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """The weights of the terms."""

    next: float = 15.0
    due: float = 12.0
    priority_urgent: float = 8.1
    blocking: float = 8.0
    priority_high: float = 6.0
    scheduled: float = 5.0
    active: float = 4.0
    priority_medium: float = 3.9
    age: float = 2.0
    priority_low: float = 1.8
    tags: float = 1.0
    inherited: float = 1.0
    waiting: float = -3.0
    blocked: float = -5.0

    def edit(self, changes: Mapping[str, float | None]) -> "Coefficients":
        """Change coefficients; None restores a default. Raises BadUserInput."""
        for name, value in changes.items():
            if value is not None and abs(value) > MAX_COEFFICIENT:
                raise BadUserInput(
                    f"{FIELD} must be from {-MAX_COEFFICIENT:.0f} to {MAX_COEFFICIENT:.0f}.", name
                )
        return replace(
            self,
            **{
                # Adding 0.0 turns -0.0 into 0.0.
                name: getattr(DEFAULTS, name) if value is None else round(value, DIGITS) + 0.0
                for name, value in changes.items()
            },
        )


DEFAULTS = Coefficients()


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a task's urgency; `contribution` is coefficient times value."""

    name: str
    coefficient: float
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Urgency:
    """A task's urgency at an instant: the sum of the terms that are not 0."""

    as_of: datetime
    score: float
    terms: tuple[Term, ...]


class Rating:
    """The urgencies of a user's tasks at one instant; those of closed tasks are 0."""

    def __init__(
        self, dependencies: Dependencies, coefficients: Coefficients, as_of: datetime
    ) -> None:
        self.as_of = as_of
        self._dependencies = dependencies
        self._coefficients = asdict(coefficients)
        self._urgencies: dict[str, Urgency] = {}

    def __getitem__(self, task_id: str) -> Urgency:
        return self._urgencies[task_id]

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._urgencies

    def needs(self, task_ids: Iterable[str]) -> list[str]:
        """The ids of the tasks needed to rate these: themselves, and all that they block."""
        needed = list(dict.fromkeys(task_id for task_id in task_ids if task_id not in self))
        seen = set(needed)
        for task_id in needed:  # grows on the way
            new = [b for b in self._blocked_by(task_id) if b not in seen and b not in self]
            needed += new
            seen.update(new)
        return needed

    def rate(self, tasks: Iterable[Task | OpenTask]) -> None:
        """Rate these tasks, each after those that it blocks."""
        new = {task.task_id: task for task in tasks if task.task_id not in self}
        order = TopologicalSorter(
            {task_id: [b for b in self._blocked_by(task_id) if b in new] for task_id in new}
        )
        for task_id in order.static_order():
            self._urgencies[task_id] = self._urgency(new[task_id])

    def _blocked_by(self, task_id: str) -> tuple[str, ...]:
        return self._dependencies.open_blocked(task_id)

    def _urgency(self, task: Task | OpenTask) -> Urgency:
        if not task.open:
            return Urgency(self.as_of, 0.0, ())
        values = _values(task, self._dependencies, self.as_of)
        terms = [term for term in map(self._term, values, values.values()) if term.value]
        own = _sum(terms)
        blocked = [self[b].score for b in self._blocked_by(task.task_id) if b in self]
        if blocked and max(blocked) >= own:
            terms.append(self._term("inherited", max(blocked) - own + INHERITED_MARGIN))
        return Urgency(self.as_of, _sum(terms), tuple(terms))

    def _term(self, name: str, value: float) -> Term:
        coefficient = self._coefficients[name]
        value = round(value, DIGITS)
        return Term(name, coefficient, value, round(coefficient * value, DIGITS) + 0.0)


def _sum(terms: Iterable[Term]) -> float:
    return round(fsum(term.contribution for term in terms), DIGITS)


def _values(task: Task | OpenTask, dependencies: Dependencies, as_of: datetime) -> dict[str, float]:
    """The value of each term except the inherited one."""
    start = task.planned_start or task.not_before
    return {
        "next": float("next" in task.tags),
        "due": _due(task.deadline, as_of),
        f"priority_{task.priority.value}": 1.0,
        "blocking": float(bool(dependencies.open_blocked(task.task_id))),
        "scheduled": float(start is not None and start <= as_of),
        "active": float(task.status is TaskStatus.IN_PROGRESS),
        "age": min(max((as_of - task.created_at) / FULL_AGE, 0.0), 1.0),
        "tags": TAG_VALUES[min(len(task.tags), len(TAG_VALUES) - 1)],
        "waiting": float(task.not_before is not None and task.not_before > as_of),
        "blocked": float(task.task_id in dependencies.blocked_ids),
    }


def _due(deadline: datetime | None, as_of: datetime) -> float:
    if deadline is None:
        return 0.0
    late = min(max(as_of - deadline, -FAR), OVERDUE)
    return FAR_VALUE + (1 - FAR_VALUE) * ((late + FAR) / (OVERDUE + FAR))
