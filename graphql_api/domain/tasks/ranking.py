"""Task lists by urgency."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError

from graphql_api import clock
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Change
from graphql_api.domain.changes.past import Past
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.paging import Budget, Page, Window
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.tasks.filters import (
    ANY_VIEWPOINT,
    OrderDirection,
    TaskFilter,
    Viewpoint,
)
from graphql_api.domain.tasks.list_reader import TaskListReader
from graphql_api.domain.tasks.model import OPEN, Task
from graphql_api.domain.tasks.related import RelatedTasks
from graphql_api.domain.tasks.store import TaskKey
from graphql_api.domain.tasks.urgency import Rating, Urgency
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dataloader import Loader

MAX_RANKED = 2_000  # open tasks of a user, the newest
_OPEN = TaskFilter(status=OPEN)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Rank:
    """The rank of a task by urgency: the most urgent first, the older first of equal ones."""

    score: float
    task_id: str

    @property
    def key(self) -> tuple[float, str]:
        """The sort key."""
        return -self.score, self.task_id


class Ranking:
    """Rates the tasks of a request and reads lists by urgency.

    The tasks of a list are rated as of one instant, which its cursors carry, so that all pages
    of a listing agree. A task that is changed between two pages keeps the place that it had at that
    instant, or got when it was created: so it comes once, and moves no other task. Other tasks are
    rated as of the request's first use of a rating.
    """

    def __init__(
        self,
        lists: TaskListReader,
        tasks: Loader[TaskKey, Task],
        related: RelatedTasks,
        settings: Callable[[str], Settings],
        feed: Feed,
        now: Callable[[], datetime],
        budget: Budget,
    ) -> None:
        """`settings` are read by user id."""
        self._lists = lists
        self._tasks = tasks
        self._related = related
        self._settings = settings
        self._feed = feed
        self._now = now
        self._budget = budget
        self._default_as_of: datetime | None = None
        self._tracked: list[Task] = []
        self._as_of: dict[TaskKey, datetime] = {}  # of tasks in a list by urgency
        self._ratings: dict[tuple[str, datetime], Rating] = {}
        self._places: dict[tuple[str, datetime], Rating | None] = {}
        self._open: dict[str, tuple[list[OpenTask], bool]] = {}

    def track(self, tasks: Iterable[Task]) -> None:
        """Add tasks whose urgency may be needed."""
        self._tracked += tasks

    def urgency(self, task: Task) -> Urgency:
        """The task's urgency. Raises QueryTooComplex if too many tasks have to be rated for it."""
        as_of = self._as_of.get((task.user_id, task.task_id)) or self._rating_time()
        rating = self._rating(task.user_id, as_of)
        if task.task_id not in rating:
            self._rate_tracked(rating, task)
        return rating[task.task_id]

    def _rating_time(self, as_of: datetime | None = None) -> datetime:
        """The rating instant of tasks outside of a cursor; fixed at first use."""
        self._default_as_of = self._default_as_of or as_of or clock.milliseconds(self._now())
        return self._default_as_of

    def page(
        self,
        user_id: str,
        filter: TaskFilter,
        direction: OrderDirection,
        window: Window,
        position: str | None,
        at: Viewpoint,
    ) -> tuple[Page[Task], int]:
        """The page of the user's open tasks by urgency that begins after `position`.

        Also returns how many tasks match the filter. All open tasks are rated, and those of the
        page read; beyond MAX_RANKED of them or the budget, the page is incomplete. So it is where
        nobody can tell any more what was changed since the first page.
        """
        found, is_complete = self._open_tasks(user_id)
        self._related.dependencies_of(user_id)  # all is read as of which they are rated
        as_of, after = _parse_position(position) if position else (self._rating_time(), None)
        self._rating_time(as_of)
        rating = self._rating(user_id, as_of)
        rating.rate(found)
        places = self._places_of(user_id, rating, found) if after else rating
        is_complete = is_complete and places is not None
        places = places or rating
        wanted = filter.of_open()
        found, is_known = self._lists.matching(user_id, found, wanted, self._budget, at)
        ranked = [Rank(places[task.task_id].score, task.task_id) for task in found]
        downward = (direction is OrderDirection.DESC) is not window.backward
        ranks = _ranks_after(after, ranked, downward=downward)
        keys = [(user_id, rank.task_id) for rank in ranks[: window.size]]
        self._budget.spend(len(keys))
        self._tasks.prefetch(keys)
        loaded = [task for task in map(self._tasks.get, keys) if task and wanted.matches(task, at)]
        tasks = {task.task_id: task for task in loaded}
        page = _page(ranks, tasks, window, as_of, after, complete=is_complete and is_known)
        self._as_of.update(((user_id, task.task_id), as_of) for task in page.items)
        return page, len(ranked)

    def open_tasks(self, user_id: str) -> list[Task]:
        """The user's open tasks, of too many the newest."""
        return self._lists.newest(user_id, _OPEN, MAX_RANKED, self._budget, ANY_VIEWPOINT)[0]

    def _open_tasks(self, user_id: str) -> tuple[list[OpenTask], bool]:
        """The user's newest open tasks, and whether these are all of them."""
        if user_id not in self._open:
            self._open[user_id] = self._lists.open_tasks(user_id, MAX_RANKED, self._budget)
        return self._open[user_id]

    def _rating(self, user_id: str, as_of: datetime) -> Rating:
        if (user_id, as_of) not in self._ratings:
            dependencies = self._related.dependencies_of(user_id)
            rating = Rating(dependencies, self._settings(user_id).urgency_coefficients, as_of)
            self._ratings[user_id, as_of] = rating
        return self._ratings[user_id, as_of]

    def _places_of(self, user_id: str, rating: Rating, tasks: Sequence[OpenTask]) -> Rating | None:
        """The urgencies that these tasks had at the instant of a rating; None if nobody can tell.

        The tasks were read before, so that all is told by which they differ from then.
        """
        key = (user_id, rating.as_of)
        if key not in self._places:
            # What is dated to the same millisecond was there when the instant was taken.
            since = rating.as_of + _MILLISECOND
            can_read = self._budget.left > 0
            changes = self._feed.since(user_id, since, self._now()) if can_read else None
            self._budget.spend(len(changes or ()))
            try:
                self._places[key] = self._before(changes, user_id, rating, tasks)
            except CycleError:  # of dependencies that were changed in this order by no clock
                self._places[key] = None
        return self._places[key]

    def _before(
        self,
        changes: Sequence[Change] | None,
        user_id: str,
        rating: Rating,
        tasks: Sequence[OpenTask],
    ) -> Rating | None:
        """The urgencies of these tasks before some changes. Raises CycleError."""
        if not changes:
            return None if changes is None else rating
        settings, dependencies = self._settings(user_id), self._related.dependencies_of(user_id)
        past = Past(changes, dependencies, settings.timezone)
        open_ids = {task.task_id for task in tasks}
        places = Rating(past.dependencies(open_ids), settings.urgency_coefficients, rating.as_of)
        others = [
            each
            for each in places.needs(open_ids)
            if each not in open_ids and past.is_changed(each)
        ]
        places.rate([*map(past.state, tasks), *self._closed_since(past, user_id, others)])
        return places

    def _closed_since(self, past: Past, user_id: str, task_ids: Sequence[str]) -> Iterator[Task]:
        """The tasks of these ids as they were, which have been closed or deleted."""
        deleted = {each: task for each in task_ids if (task := past.deleted(each))}
        keys = [(user_id, each) for each in task_ids if each not in deleted]
        self._budget.spend(len(keys))
        self._tasks.prefetch(keys)
        closed = (past.state(task) for key in keys if (task := self._tasks.get(key)))
        return filter(self._lists.sees, (*deleted.values(), *closed))

    def _rate_tracked(self, rating: Rating, task: Task) -> None:
        """Rate the task, and in the same batch all tracked tasks of its user."""
        user_id = task.user_id
        tracked = {(other.user_id, other.task_id): other for other in [*self._tracked, task]}
        known = {**self._related.loaded, **tracked}
        tasks = {task_id: other for (owner, task_id), other in known.items() if owner == user_id}
        missing = [task_id for task_id in rating.needs(tasks) if task_id not in tasks]
        self._budget.spend(len(missing))
        if self._budget.left < 0:
            raise QueryTooComplex("Too many tasks are blocked by these to rate them.")
        self._tasks.prefetch((user_id, task_id) for task_id in missing)
        loaded = (self._tasks.get((user_id, task_id)) for task_id in missing)
        rating.rate([*tasks.values(), *(other for other in loaded if other is not None)])


def _ranks_after(after: Rank | None, ranks: Iterable[Rank], *, downward: bool) -> list[Rank]:
    """The ranks after the given one, in the direction of reading; all ranks without one."""
    ordered = sorted(ranks, key=lambda rank: rank.key, reverse=not downward)
    if after is None:
        return ordered
    return [
        rank for rank in ordered if (rank.key > after.key if downward else rank.key < after.key)
    ]


def _page(
    ranks: list[Rank],
    tasks: Mapping[str, Task],
    window: Window,
    as_of: datetime,
    after: Rank | None,
    *,
    complete: bool,
) -> Page[Task]:
    """The first page of these ranks, in the list's order, of the tasks that are still there."""
    has_more, has_cursor = len(ranks) > window.size, after is not None
    ranks = ranks[: window.size]
    if window.backward:
        ranks.reverse()
    as_of_text = clock.text(as_of)
    by_id = {rank.task_id: f"{as_of_text}#{rank.score!r}#{rank.task_id}" for rank in ranks}
    return Page.of(
        [tasks[rank.task_id] for rank in ranks if rank.task_id in tasks],
        lambda task: by_id[task.task_id],
        window,
        has_cursor=has_cursor,
        has_more=has_more,
        complete=complete,
    )


def _parse_position(position: str) -> tuple[datetime, Rank]:
    as_of, score, task_id = position.split("#", 2)
    return clock.parse(as_of), Rank(float(score), task_id)
