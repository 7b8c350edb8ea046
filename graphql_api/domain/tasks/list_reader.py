"""Pages and counts of a user's task list, read within a budget."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from graphql_api import clock
from graphql_api.domain.paging import Budget, Page, Window
from graphql_api.domain.tasks.filters import (
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
)
from graphql_api.domain.tasks.model import OPEN, Task
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.dynamodb import Attr, Condition, Database, Item, ItemPage, Key, codec

MAX_READ = 10_000  # budget units of a request: an item that is read costs one
SEARCH_COST = 3  # units per item that is searched …
SEARCH_CHARACTERS = 1_000  # … and one more per so many characters of descriptions
COUNTED_PER_UNIT = 10  # items that are only counted
MAX_QUERY = 1_000  # items per query
MAX_SEARCH_QUERY = 200
MAX_COUNT_QUERY = 10_000
LONG_PAGE = 100  # tasks, with which a page may end where the store has cut a query, at 1 MB

_decode = codec.decoder(Task)


class TaskListReader:
    """Reads task lists, page by page."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Tasks")

    def page(
        self,
        user_id: str,
        order: TaskOrder,
        filter: TaskFilter,
        window: Window,
        position: str | None,
        budget: Budget,
        blocked_ids: Collection[str] = (),
    ) -> Page[Task]:
        """The page of the user's list that begins after `position`.

        DynamoDB's Limit counts items read, not matches. So this reads on until it has one match
        more than the page, until the list ends, or until the budget is spent. A filter on `ready`
        needs `blocked_ids`, the tasks with open blockers.
        """
        runs = _runs(user_id, order, filter, backward=window.backward)
        limit = window.size + 1
        tasks, stopped_at = self._read(runs, filter, limit, position, budget, blocked_ids)
        has_more = stopped_at is not None or len(tasks) > window.size
        tasks = tasks[: window.size]
        if window.backward:
            tasks.reverse()
        position_of = (
            _creation_position if order.field is TaskOrderField.CREATED_AT else _due_position
        )
        start, end = (position_of(tasks[0]), position_of(tasks[-1])) if tasks else (None, None)
        has_cursor = position is not None
        return Page(
            items=tasks,
            position=position_of,
            has_next=has_cursor if window.backward else has_more,
            has_previous=has_more if window.backward else has_cursor,
            start=stopped_at or start if window.backward else start,
            end=end if window.backward else stopped_at or end,
            complete=stopped_at is None,
        )

    def newest_open(self, user_id: str, limit: int, budget: Budget) -> tuple[list[Task], bool]:
        """The user's newest open tasks, and whether these are all of them."""
        is_open = TaskFilter(status=OPEN)
        runs = _runs(user_id, TaskOrder(), is_open, backward=False)
        tasks, stopped_at = self._read(runs, is_open, limit + 1, None, budget, ())
        return tasks[:limit], stopped_at is None and len(tasks) <= limit

    def count(
        self, user_id: str, filter: TaskFilter, budget: Budget, blocked_ids: Collection[str] = ()
    ) -> int:
        """The number of the user's tasks that match. Raises QueryTooComplex beyond the budget."""
        if filter.impossible:
            return 0
        [run] = _runs(user_id, TaskOrder(), filter, backward=False)
        total, start = 0, None
        while budget.left > 0:
            if filter.needs_items:
                read = self._query(run, MAX_SEARCH_QUERY, start)
                tasks = list(map(_decode, read.items))
                budget.spend(_cost(read.scanned, tasks, filter))
                total += sum(filter.accepts(task, blocked_ids) for task in tasks)
                start = read.last_key
            else:
                counted = self._table.count(
                    run.where, filter=run.filter, start=start, limit=MAX_COUNT_QUERY
                )
                budget.spend(math.ceil(counted.scanned / COUNTED_PER_UNIT))
                total += counted.matches
                start = counted.last_key
            if start is None:
                return total
        raise QueryTooComplex("There are too many tasks to count them in one request.")

    def _read(
        self,
        runs: Sequence["_Run"],
        filter: TaskFilter,
        limit: int,
        position: str | None,
        budget: Budget,
        blocked_ids: Collection[str],
    ) -> tuple[list[Task], str | None]:
        """Read up to `limit` matches; return them, and the position if it has stopped before.

        That is where the budget was spent, or where a long page has become large.
        """
        if position is not None:
            runs = runs[[run.letter for run in runs].index(position[0]) :]
        matches: list[Task] = []
        size = limit
        for run in runs:
            start = run.start(position)
            while len(matches) < limit:
                if budget.left <= 0:
                    return matches, run.position(start) if start else run.letter
                if run.filter or filter.needs_items:  # matches may be rare: read ever more
                    size = min(size * 2, MAX_SEARCH_QUERY if filter.search else MAX_QUERY)
                else:
                    size = limit - len(matches)
                read = self._query(run, size, start)
                tasks = list(map(_decode, read.items))
                budget.spend(_cost(read.scanned, tasks, filter))
                if filter.needs_items:
                    tasks = [task for task in tasks if filter.accepts(task, blocked_ids)]
                matches += tasks
                start = read.last_key
                if start is None:
                    break
                if len(matches) >= LONG_PAGE and read.scanned < size:
                    return matches, run.position(start)
            position = None
        return matches[:limit], None

    def _query(self, run: "_Run", limit: int, start: Item | None) -> ItemPage:
        return self._table.query(
            run.where,
            index=run.index,
            filter=run.filter,
            start=start,
            descending=run.descending,
            limit=limit,
        )


def _cost(scanned: int, tasks: Sequence[Task], filter: TaskFilter) -> int:
    """The budget units that a query of so many items costs."""
    if not filter.search:
        return scanned
    characters = sum(len(task.description) for task in tasks)
    return scanned * SEARCH_COST + characters // SEARCH_CHARACTERS


@dataclass(frozen=True)
class _Run:
    """Tasks that are adjacent in one index, in the order of its sort key.

    A list is one run or several, one after the other. A position in it is the run's letter and
    the sort key, so it stays valid when tasks around it come and go. The letter is `c` in a list
    by creation; in one by due date it is `d` for tasks with a due date, `u` for the others.
    """

    letter: str
    user_id: str
    where: Condition
    filter: Condition | None
    descending: bool
    index: str | None = None

    def position(self, key: Item) -> str:
        """The position of a key of this run."""
        return self.letter + str(key["due_order" if self.index else "task_id"]["S"])

    def start(self, position: str | None) -> Item | None:
        """The exclusive start key of a position; None for the beginning of the run."""
        sort_key = position[1:] if position else ""
        if not sort_key:
            return None
        if self.index is None:
            return codec.item(user_id=self.user_id, task_id=sort_key)
        task_id = sort_key.partition("#")[2]
        return codec.item(user_id=self.user_id, task_id=task_id, due_order=sort_key)


def _creation_position(task: Task) -> str:
    return f"c{task.task_id}"


def _due_position(task: Task) -> str:
    return f"d{task.due_order}" if task.due_at else f"u{task.task_id}"


def _runs(user_id: str, order: TaskOrder, filter: TaskFilter, *, backward: bool) -> list[_Run]:
    """The runs of the user's list, in the order in which they are read."""
    if filter.impossible:
        return []
    descending = (order.direction is OrderDirection.DESC) is not backward
    by_user = Key("user_id").eq(user_id)
    conditions = _conditions(filter)
    if order.field is TaskOrderField.CREATED_AT:
        every = _all_of(conditions + _due_conditions(filter))
        return [_Run("c", user_id, by_user, every, descending)]
    earliest = clock.text(filter.due_after) if filter.due_after else "0"
    latest = clock.text(filter.due_before) if filter.due_before else "~"
    # A due_order is longer than the date that it begins with, so none equals `latest`.
    dated = by_user & Key("due_order").between(earliest, latest)
    runs = [_Run("d", user_id, dated, _all_of(conditions), descending, "by_due_date")]
    if not filter.by_due_date:
        undated = _all_of([*conditions, Attr("due_at").not_exists()])
        runs.append(_Run("u", user_id, by_user, undated, descending))
    return runs[::-1] if backward else runs


def _conditions(filter: TaskFilter) -> list[Condition]:
    """The filter's conditions that DynamoDB can check, except those on due dates."""
    conditions: list[Condition] = []
    if filter.status is not None:
        conditions.append(Attr("status").is_in([status.value for status in filter.status]))
    if filter.ready:
        conditions.append(Attr("status").is_in([status.value for status in OPEN]))
    if filter.priority is not None:
        conditions.append(Attr("priority").is_in([priority.value for priority in filter.priority]))
    if filter.tags is not None:
        conditions.append(reduce(or_, [Attr("tags").contains(tag) for tag in filter.tags]))
    return conditions


def _due_conditions(filter: TaskFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if filter.due_after is not None:
        conditions.append(Attr("due_at").gte(clock.text(filter.due_after)))
    if filter.due_before is not None:
        conditions.append(Attr("due_at").lt(clock.text(filter.due_before)))
    return conditions


def _all_of(conditions: list[Condition]) -> Condition | None:
    return reduce(and_, conditions) if conditions else None
