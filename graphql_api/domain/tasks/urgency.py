"""How urgent a task is, and why: a sum of terms, after Taskwarrior. Pure.

Each term is a coefficient times a value of 0 to 1, as https://taskwarrior.org/docs/urgency/
describes them; the defaults are those of Taskwarrior 3 (`urgency.*.coefficient` in taskrc(5)).
What Taskwarrior has and a task here has not (project, annotations) has no term. Here are more
than there: `priority_urgent`, as far above HIGH as that is above MEDIUM, and inheritance, which
is on. It is `urgency.inherit` of taskrc(5): a task is at least as urgent as the most urgent one
that waits for it, and 0.01 more, so that a list has what is to be done first before the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from math import fsum

from graphql_api.domain.tasks.dependencies import Dependencies
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.errors import FIELD, BadUserInput

LARGEST = 100.0  # coefficient, in either direction
DIGITS = 3  # after the point, of all that is shown: so equal sums are equal everywhere
DAY = timedelta(days=1)
OLDEST = 365 * DAY
OVERDUE, FAR = 7 * DAY, 14 * DAY
FAR_VALUE = 0.2
TAG_VALUES = (0.0, 0.8, 0.9, 1.0)  # of no tag, one, two, and more
ABOVE = 0.01  # what waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """How much each term counts."""

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
        """With these coefficients; None gives one its default. Raises BadUserInput."""
        for name, value in changes.items():
            if value is not None and not -LARGEST <= value <= LARGEST:
                raise BadUserInput(f"{FIELD} must be from {-LARGEST:.0f} to {LARGEST:.0f}.", name)
        return replace(
            self,
            **{
                # 0.0 is added to have no -0.0.
                name: getattr(DEFAULTS, name) if value is None else round(value, DIGITS) + 0.0
                for name, value in changes.items()
            },
        )


DEFAULTS = Coefficients()


MEANING: Mapping[str, str] = {
    "next": "It has the tag `next`.",
    "due": "0.2 two weeks and more before it is due, 1 a week after, evenly in between.",
    "priority_urgent": "Its priority is URGENT.",
    "blocking": "An open task waits for it.",
    "priority_high": "Its priority is HIGH.",
    "scheduled": "`plannedStart` has come, or without one `notBefore`.",
    "active": "It is IN_PROGRESS.",
    "priority_medium": "Its priority is MEDIUM.",
    "age": "From 0 when it was created to 1 after a year.",
    "priority_low": "Its priority is LOW.",
    "tags": "0.8 with one tag, 0.9 with two, 1 with more.",
    "inherited": "What it lacks to the most urgent open task that waits for it, and 0.01.",
    "waiting": "`notBefore` has not come.",
    "blocked": "It waits for an open task.",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One reason for a task's urgency; `contribution` is coefficient times value."""

    name: str
    coefficient: float
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Urgency:
    """How urgent a task is as of an instant: the sum of the terms that are not 0."""

    as_of: datetime
    score: float
    terms: tuple[Term, ...]


class Rating:
    """The urgency of a user's tasks, all as of one instant; one that is closed has none."""

    def __init__(
        self, dependencies: Dependencies, coefficients: Coefficients, as_of: datetime
    ) -> None:
        self.as_of = as_of
        self._dependencies = dependencies
        self._coefficients = asdict(coefficients)
        self._known: dict[str, Urgency] = {}

    def __getitem__(self, task_id: str) -> Urgency:
        return self._known[task_id]

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._known

    def needs(self, task_ids: Iterable[str]) -> list[str]:
        """The tasks by which these are rated: themselves, and all that waits for them."""
        needed = list(dict.fromkeys(task_id for task_id in task_ids if task_id not in self))
        seen = set(needed)
        for task_id in needed:  # grows on the way
            new = [w for w in self._waiting_for(task_id) if w not in seen and w not in self]
            needed += new
            seen.update(new)
        return needed

    def rate(self, tasks: Iterable[Task]) -> None:
        """Rate these tasks, those that wait for others before them."""
        new = {task.task_id: task for task in tasks if task.task_id not in self}
        order = TopologicalSorter(
            {task_id: [w for w in self._waiting_for(task_id) if w in new] for task_id in new}
        )
        for task_id in order.static_order():
            self._known[task_id] = self._urgency(new[task_id])

    def _waiting_for(self, task_id: str) -> tuple[str, ...]:
        return self._dependencies.open_blocked(task_id)

    def _urgency(self, task: Task) -> Urgency:
        if not task.open:
            return Urgency(self.as_of, 0.0, ())
        values = _values(task, self._dependencies, self.as_of)
        every = (self._term(name, value) for name, value in values.items())
        terms = [term for term in every if term.value]
        own = _sum(terms)
        above = [self[w].score for w in self._waiting_for(task.task_id) if w in self]
        if above and max(above) >= own:
            terms.append(self._term("inherited", max(above) - own + ABOVE))
        return Urgency(self.as_of, _sum(terms), tuple(terms))

    def _term(self, name: str, value: float) -> Term:
        coefficient = self._coefficients[name]
        value = round(value, DIGITS)
        return Term(name, coefficient, value, round(coefficient * value, DIGITS) + 0.0)


def _sum(terms: Iterable[Term]) -> float:
    return round(fsum(term.contribution for term in terms), DIGITS)


def _values(task: Task, dependencies: Dependencies, as_of: datetime) -> dict[str, float]:
    """The value of each term but the inherited one."""
    begin = task.planned_start or task.not_before
    return {
        "next": float("next" in task.tags),
        "due": _due(task.due_at, as_of),
        f"priority_{task.priority.value}": 1.0,
        "blocking": float(bool(dependencies.open_blocked(task.task_id))),
        "scheduled": float(begin is not None and begin <= as_of),
        "active": float(task.status is TaskStatus.IN_PROGRESS),
        "age": min(max((as_of - task.created_at) / OLDEST, 0.0), 1.0),
        "tags": TAG_VALUES[min(len(task.tags), len(TAG_VALUES) - 1)],
        "waiting": float(task.not_before is not None and task.not_before > as_of),
        "blocked": float(task.task_id in dependencies.blocked_ids),
    }


def _due(due_at: datetime | None, as_of: datetime) -> float:
    if due_at is None:
        return 0.0
    late = min(max(as_of - due_at, -FAR), OVERDUE)
    return FAR_VALUE + (1 - FAR_VALUE) * ((late + FAR) / (OVERDUE + FAR))
