"""Lists by urgency: which tasks one request rates, and as of when."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from graphql_api import clock
from graphql_api.domain.paging import Budget, Page, Window
from graphql_api.domain.tasks.filters import OrderDirection, TaskFilter
from graphql_api.domain.tasks.list_reader import TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.related import Neighbours
from graphql_api.domain.tasks.store import TaskKey
from graphql_api.domain.tasks.urgency import Coefficients, Rating, Urgency
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dynamodb import Loader

MOST_RANKED = 2_000  # open tasks, the newest


@dataclass(frozen=True, slots=True)
class Rank:
    """A task's place in a list by urgency: the most urgent first, of equal ones the older."""

    score: float
    task_id: str

    @property
    def key(self) -> tuple[float, str]:
        """What sorts the places."""
        return -self.score, self.task_id


class Ranking:
    """Rates the tasks of one request.

    All tasks of a list are rated as of one instant, which the list's cursors carry: pages of one
    listing agree, whenever they are read. Everything else is rated as of the request's first
    need.
    """

    def __init__(
        self,
        lists: TaskListReader,
        tasks: Loader[TaskKey, Task],
        neighbours: Neighbours,
        coefficients: Callable[[str], Coefficients],
        now: Callable[[], datetime],
        budget: Budget,
    ) -> None:
        self._lists = lists
        self._tasks = tasks
        self._neighbours = neighbours
        self._coefficients = coefficients
        self._now = now
        self._budget = budget
        self._present: datetime | None = None
        self._shown: list[Task] = []
        self._as_of: dict[TaskKey, datetime] = {}  # of those in a list by urgency
        self._ratings: dict[tuple[str, datetime], Rating] = {}
        self._open: dict[str, tuple[list[Task], bool]] = {}

    def show(self, tasks: Iterable[Task]) -> None:
        """Note tasks whose urgency may be asked for."""
        self._shown += tasks

    def urgency(self, task: Task) -> Urgency:
        """How urgent the task is."""
        as_of = self._as_of.get((task.user_id, task.task_id)) or self._at_present()
        rating = self._rating(task.user_id, as_of)
        if task.task_id not in rating:
            self._rate(rating, task)
        return rating[task.task_id]

    def _at_present(self, as_of: datetime | None = None) -> datetime:
        """The instant as of which is rated what no cursor says anything of; the first one stays."""
        self._present = self._present or as_of or clock.milliseconds(self._now())
        return self._present

    def page(
        self,
        user_id: str,
        only: TaskFilter,
        direction: OrderDirection,
        window: Window,
        position: str | None,
    ) -> tuple[Page[Task], int]:
        """The part of the user's open tasks by urgency that begins after `position`.

        And how many of them match the filter. They are read as a whole: the page is incomplete
        if there were more than the bound.
        """
        as_of, after = _read(position) if position else (self._at_present(), None)
        self._at_present(as_of)
        tasks, complete = self._all_open(user_id)
        rating = self._rating(user_id, as_of)
        rating.rate(tasks)
        waiting = self._neighbours.among(user_id).waiting
        ranked = {
            Rank(rating[task.task_id].score, task.task_id): task
            for task in tasks
            if only.matches(task, waiting)
        }
        downward = (direction is OrderDirection.DESC) is not window.backward
        found = _beyond(ranked, after, downward=downward)
        page = _page(found, ranked, window, as_of, begun=after is not None, complete=complete)
        self._as_of.update(((user_id, task.task_id), as_of) for task in page.items)
        return page, len(ranked)

    def _all_open(self, user_id: str) -> tuple[list[Task], bool]:
        """The user's open tasks, within the bound, and whether these are all of them."""
        if user_id not in self._open:
            self._open[user_id] = self._lists.newest_open(user_id, MOST_RANKED, self._budget)
        return self._open[user_id]

    def _rating(self, user_id: str, as_of: datetime) -> Rating:
        if (user_id, as_of) not in self._ratings:
            among, coefficients = self._neighbours.among(user_id), self._coefficients(user_id)
            self._ratings[user_id, as_of] = Rating(among, coefficients, as_of)
        return self._ratings[user_id, as_of]

    def _rate(self, rating: Rating, task: Task) -> None:
        """Rate the task, and with it, in one go, all that the request shows beside it."""
        user_id = task.user_id
        shown = {(each.user_id, each.task_id): each for each in [*self._shown, task]}
        beside = {**self._neighbours.found, **shown}
        here = {task_id: other for (owner, task_id), other in beside.items() if owner == user_id}
        missing = [task_id for task_id in rating.needs(here) if task_id not in here]
        self._budget.spend(len(missing))
        if self._budget.left < 0:
            raise QueryTooComplex("There are too many tasks around these to rate them.")
        self._tasks.want((user_id, task_id) for task_id in missing)
        found = (self._tasks.get((user_id, task_id)) for task_id in missing)
        rating.rate([*here.values(), *(other for other in found if other is not None)])


def _beyond(ranked: Iterable[Rank], after: Rank | None, *, downward: bool) -> list[Rank]:
    """The places beyond one, in the direction of reading; all without one."""
    ordered = sorted(ranked, key=lambda rank: rank.key, reverse=not downward)
    if after is None:
        return ordered
    return [
        rank for rank in ordered if (rank.key > after.key if downward else rank.key < after.key)
    ]


def _page(
    found: list[Rank],
    ranked: Mapping[Rank, Task],
    window: Window,
    as_of: datetime,
    *,
    begun: bool,
    complete: bool,
) -> Page[Task]:
    """The first of the places found, in the list's order."""
    ranks, more = found[: window.size], len(found) > window.size
    if window.backward:
        ranks.reverse()
    at = clock.text(as_of)
    written = {rank.task_id: f"{at}#{rank.score!r}#{rank.task_id}" for rank in ranks}
    positions = list(written.values())
    return Page(
        items=[ranked[rank] for rank in ranks],
        position=lambda task: written[task.task_id],
        has_next=begun if window.backward else more,
        has_previous=more if window.backward else begun,
        start=positions[0] if positions else None,
        end=positions[-1] if positions else None,
        complete=complete,
    )


def _read(position: str) -> tuple[datetime, Rank]:
    as_of, score, task_id = position.split("#", 2)
    return clock.parse(as_of), Rank(float(score), task_id)
