"""Pages and counts of open tasks: sorted and filtered by their items, then read by their keys.

So they cost what is open and what is shown, however much was ever finished. What the items do not
tell, such as words in a description, is looked up in the open tasks that may match, and no others.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

from graphql_api.domain.criteria import Criterion
from graphql_api.domain.open_tasks.model import KNOWN, OpenTask
from graphql_api.domain.open_tasks.store import OpenTaskStore
from graphql_api.domain.paging import (
    Budget,
    Page,
    Rank,
    Window,
    in_reading_order,
    sorted_page,
)
from graphql_api.domain.tasks.filters import (
    INDEXED,
    OrderDirection,
    TaskOrder,
    TaskOrderField,
    rank_of,
)
from graphql_api.domain.tasks.model import OPEN, Task
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.concurrency.bulkhead import Shares
from graphql_api.infra.concurrency.waiting import run_aside
from graphql_api.infra.dynamodb import Database, codec

MAX_OPEN = 10_000  # of a user whose lists are read so
ITEMS_PER_UNIT = 10  # of the budget
MAX_LOOKED_UP = 100  # tasks that are read by key at a time
MAX_SORTED = 2_000  # tasks, by what their items do not tell

_decode = codec.decoder(Task)
_CREATED = "c"  # the letter of positions in a list by creation, before an id
_ANY_OPEN = [SimpleNamespace(status=status) for status in OPEN]
_BEHIND = "~"  # sorts behind all ids


class Wanted(NamedTuple):
    """The tasks that a list has: the criterion, and the budget units of checking it on some."""

    user_id: str
    criterion: Criterion
    cost: Callable[[Sequence[Task]], int]

    @property
    def is_exact(self) -> bool:
        """Return whether the items tell which tasks these are."""
        return self.criterion.names <= KNOWN

    @property
    def all_open(self) -> bool:
        """Return whether these are all open tasks, whatever else is known of them."""
        return all(self.criterion.verdict(each) for each in _ANY_OPEN)

    def candidates(self, tasks: Sequence[OpenTask]) -> list[OpenTask]:
        """The tasks that match, as far as is known of them."""
        return run_aside(len(tasks), lambda: self._of(tasks))

    def _of(self, tasks: Sequence[OpenTask]) -> list[OpenTask]:
        if self.is_exact:
            return list(filter(self.criterion.holds, tasks))
        return [task for task in tasks if self.criterion.verdict(task) is not False]


class OpenTaskLists:
    """Reads lists of open tasks."""

    def __init__(self, database: Database, shares: Shares) -> None:
        """`shares` bound how many lists of one user are read at once."""
        self._store = OpenTaskStore(database)
        self._table = database.table("Tasks")
        self._shares = shares

    def all(self, user_id: str, budget: Budget) -> list[OpenTask] | None:
        """All open tasks of a user, by id.

        None if there are too many, or if not all tasks of the deployment have their items yet.
        """
        if not self._store.is_complete():
            return None
        found: list[OpenTask] = []
        with self._shares.slot(user_id):
            for tasks in self._store.all(user_id):
                budget.spend(math.ceil(len(tasks) / ITEMS_PER_UNIT))
                found += tasks
                if len(found) > MAX_OPEN:
                    return None
        return found

    def page(
        self,
        wanted: Wanted,
        order: TaskOrder,
        window: Window,
        position: str | None,
        budget: Budget,
    ) -> Page[Task] | None:
        """The page behind a position; None if it cannot be read so.

        Tasks that are changed meanwhile are shown as they have become, if they still match.
        """
        if budget.left <= 0:
            return _unread(order.field, window, position)
        if order.field is TaskOrderField.CREATED_AT:
            return self._by_creation(wanted, order, window, position, budget)
        tasks = self.all(wanted.user_id, budget)
        if tasks is None:
            return None
        candidates = wanted.candidates(tasks)
        if order.field.value in KNOWN:
            return self._walk(wanted, candidates, order, window, position, budget)
        newest = candidates[-MAX_SORTED:]
        found, looked_at = self._look_up(wanted, newest, len(newest), budget)
        return sorted_page(
            found,
            lambda task: rank_of(task, order.field),
            window,
            position,
            descending=order.direction is OrderDirection.DESC,
            complete=looked_at == len(candidates),
        )

    def count(self, wanted: Wanted, budget: Budget) -> int | None:
        """The number of tasks that a list has; None if they cannot be counted so.

        Raises QueryTooComplex beyond the budget.
        """
        if wanted.all_open and self._store.is_complete():
            return self._count_all(wanted.user_id, budget)
        tasks = self.all(wanted.user_id, budget)
        if tasks is None:
            return None
        found, is_complete = self.matching(wanted, tasks, budget)
        if not is_complete:
            raise _too_many()
        return len(found)

    def _count_all(self, user_id: str, budget: Budget) -> int:
        """The number of a user's open tasks. Raises QueryTooComplex beyond the budget."""
        total = 0
        with self._shares.slot(user_id):
            for count in self._store.count(user_id):
                budget.spend(math.ceil(count / ITEMS_PER_UNIT))
                if budget.left < 0:
                    raise _too_many()
                total += count
        return total

    def matching(
        self, wanted: Wanted, tasks: Sequence[OpenTask], budget: Budget
    ) -> tuple[list[OpenTask], bool]:
        """The matches among these tasks, and whether the budget was enough to tell."""
        candidates = wanted.candidates(tasks)
        if wanted.is_exact:
            return candidates, True
        found, looked_at = self._look_up(wanted, candidates, len(candidates), budget)
        ids = {task.task_id for task in found}
        matches = [task for task in candidates if task.task_id in ids]
        return matches, looked_at == len(candidates)

    def by_id(self, wanted: Wanted, ids: Sequence[str], budget: Budget) -> dict[str, Task]:
        """The tasks of these ids that still match, read by their keys."""
        with self._shares.slot(wanted.user_id):
            items = self._table.get_many(
                [{"user_id": wanted.user_id, "task_id": task_id} for task_id in ids]
            )
        tasks = list(map(_decode, items))
        budget.spend(len(ids) - len(tasks) + wanted.cost(tasks))
        return {task.task_id: task for task in tasks if wanted.criterion.holds(task)}

    def _by_creation(
        self,
        wanted: Wanted,
        order: TaskOrder,
        window: Window,
        position: str | None,
        budget: Budget,
    ) -> Page[Task] | None:
        """The page behind a position in the order that the items have: no others are read."""
        if not self._store.is_complete():
            return None
        descending = (order.direction is OrderDirection.DESC) is not window.backward
        found: list[Task] = []
        last, is_end = (position or _CREATED)[1:], False
        limit = size = window.size + 1
        while len(found) < limit and not is_end and budget.left > 0:
            with self._shares.slot(wanted.user_id):
                tasks, is_end = self._store.some(wanted.user_id, size, last, descending=descending)
            budget.spend(math.ceil(len(tasks) / ITEMS_PER_UNIT))
            ahead = wanted.candidates(tasks)
            matches, looked_at = self._look_up(wanted, ahead, limit - len(found), budget)
            found += matches
            if looked_at < len(ahead):
                last, is_end = ahead[looked_at - 1].task_id if looked_at else last, False
            elif tasks:
                last = tasks[-1].task_id
            size = min(size * 4, MAX_OPEN)
        shown = found[: window.size]
        page = Page.of(
            shown[::-1] if window.backward else shown,
            lambda task: _CREATED + task.task_id,
            window,
            has_cursor=position is not None,
            has_more=len(found) > window.size or not is_end,
        )
        return page if is_end or len(found) >= limit else page.stopped_at(_CREATED + last, window)

    def _walk(
        self,
        wanted: Wanted,
        candidates: Sequence[OpenTask],
        order: TaskOrder,
        window: Window,
        position: str | None,
        budget: Budget,
    ) -> Page[Task]:
        """The page behind a position of candidates, in the order in which their items have them."""
        ranks = run_aside(
            len(candidates),
            lambda: {task.task_id: rank_of(task, order.field) for task in candidates},
        )
        descending = order.direction is OrderDirection.DESC
        mark = _mark(position, order.field, descending=descending, backward=window.backward)
        ranked = [(ranks[task.task_id], task) for task in candidates]
        sort = partial(
            in_reading_order, ranked, mark, descending=descending, backward=window.backward
        )
        ahead = [task for _, task in run_aside(len(ranked), sort)]
        # Where the items do not tell it, only one match more shows that the page has a next one.
        limit = window.size if wanted.is_exact else window.size + 1
        found, looked_at = self._look_up(wanted, ahead, limit, budget)
        shown = found[: window.size]
        page = Page.of(
            shown[::-1] if window.backward else shown,
            lambda task: _position(ranks[task.task_id], order.field),
            window,
            has_cursor=position is not None,
            has_more=looked_at < len(ahead) or len(found) > window.size,
            total=len(candidates) if wanted.is_exact else None,
        )
        if looked_at == len(ahead) or len(found) >= limit:
            return page
        if not looked_at:
            return _unread(order.field, window, position)
        last = ranks[ahead[looked_at - 1].task_id]
        return page.stopped_at(_position(last, order.field), window)

    def _look_up(
        self, wanted: Wanted, ahead: Sequence[OpenTask], limit: int, budget: Budget
    ) -> tuple[list[Task], int]:
        """Read tasks by key until so many match, or the budget is spent.

        Returns those that match, in the given order, and the number of all that were read.
        """
        found: list[Task] = []
        looked_at, size = 0, limit
        while looked_at < len(ahead) and len(found) < limit and budget.left > 0:
            ids = [task.task_id for task in ahead[looked_at : looked_at + size]]
            matches = self.by_id(wanted, ids, budget)
            found += [matches[task_id] for task_id in ids if task_id in matches]
            looked_at += len(ids)
            size = limit - len(found) if wanted.is_exact else min(size * 2, MAX_LOOKED_UP)
        return found, looked_at


def _too_many() -> QueryTooComplex:
    return QueryTooComplex("There are too many tasks to count them in one request.")


def _unread(by: TaskOrderField, window: Window, position: str | None) -> Page[Task]:
    """The page of a request that has no budget left to read it."""
    page: Page[Task] = Page.of(
        [], lambda _: "", window, has_cursor=position is not None, has_more=True, complete=False
    )
    begin = position or _begin(by, backward=window.backward)
    return page.stopped_at(begin, window) if begin else page


def _position(rank: Rank, by: TaskOrderField) -> str:
    """The position of a rank, as lists of all tasks have it in this order."""
    if by is TaskOrderField.DUE_AT:
        return f"d{rank.value}#{rank.id}" if rank.value else f"u{rank.id}"
    return rank.position


def _mark(
    position: str | None, by: TaskOrderField, *, descending: bool, backward: bool
) -> Rank | None:
    """The rank that a position stands for; None at the beginning of the list."""
    if position is None or position == _begin(by, backward=backward):
        return None
    if by not in INDEXED:
        return Rank.parse(position)
    if len(position) == 1:  # between the tasks with a due date and those without
        return Rank(None, _BEHIND if descending else "")
    due, _, task_id = position[1:].rpartition("#")
    return Rank(due or None, task_id)


def _begin(by: TaskOrderField, *, backward: bool) -> str | None:
    """The position from which a list can be read of which nothing has been."""
    if by is TaskOrderField.DUE_AT:
        return "u" if backward else "d"
    return _CREATED if by is TaskOrderField.CREATED_AT else None
