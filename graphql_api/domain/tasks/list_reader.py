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
from graphql_api.infra.dynamodb import Attr, Condition, Database, Item, Key, codec

MOST_READ = 10_000  # items that one request may look at
SEARCHED = 3  # times what an item costs that is not only read but searched, here …
SEARCHED_CHARACTERS = 1_000  # … and once more for so many characters of it
COUNTED = 10  # items cost what one does if they are only counted, there
LARGEST_LOOK = 1_000  # items in one look at them
SEARCH_LOOK = 200
COUNT_LOOK = 10_000

_task = codec.decoder(Task)


class TaskListReader:
    """Reads task lists, page by page."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Tasks")

    def page(
        self,
        user_id: str,
        order: TaskOrder,
        only: TaskFilter,
        window: Window,
        position: str | None,
        budget: Budget,
        waiting: Collection[str] = (),
    ) -> Page[Task]:
        """The part of the user's list that begins after `position`.

        A filter that asks what is ready has to know which tasks are `waiting` for others.

        DynamoDB's Limit counts items read, not matches, so this reads on until the page is
        full and one more match shows that there is a next one, until the list ends, or until
        the budget is spent.
        """
        runs = _runs(user_id, order, only, backward=window.backward)
        found, stopped = self._read(runs, only, window.size + 1, position, budget, waiting)
        more = stopped is not None or len(found) > window.size
        found = found[: window.size]
        if window.backward:
            found.reverse()
        where = (
            _position_by_creation
            if order.field is TaskOrderField.CREATED_AT
            else _position_by_due_date
        )
        start, end = (where(found[0]), where(found[-1])) if found else (None, None)
        elsewhere = position is not None
        return Page(
            items=found,
            position=where,
            has_next=elsewhere if window.backward else more,
            has_previous=more if window.backward else elsewhere,
            start=stopped or start if window.backward else start,
            end=end if window.backward else stopped or end,
            complete=stopped is None,
        )

    def newest_open(self, user_id: str, most: int, budget: Budget) -> tuple[list[Task], bool]:
        """So many of the user's open tasks, the newest first, and whether these are all."""
        only = TaskFilter(status=OPEN)
        runs = _runs(user_id, TaskOrder(), only, backward=False)
        found, stopped = self._read(runs, only, most + 1, None, budget, ())
        return found[:most], stopped is None and len(found) <= most

    def count(
        self, user_id: str, only: TaskFilter, budget: Budget, waiting: Collection[str] = ()
    ) -> int:
        """How many of the user's tasks match; QueryTooComplex for a search beyond the budget."""
        if only.impossible:
            return 0
        [run] = _runs(user_id, TaskOrder(), only, backward=False)
        total, start = 0, None
        while budget.left > 0:
            if only.looks_closer:
                read = self._table.query(run.where, only=run.only, start=start, limit=SEARCH_LOOK)
                tasks = list(map(_task, read.items))
                budget.spend(_cost(read.looked_at, tasks, only))
                total += sum(only.shows(task, waiting) for task in tasks)
                start = read.stopped
            else:
                counted = self._table.count(run.where, only=run.only, start=start, limit=COUNT_LOOK)
                budget.spend(math.ceil(counted.looked_at / COUNTED))
                total += counted.matches
                start = counted.stopped
            if start is None:
                return total
        raise QueryTooComplex("There are too many tasks to count them in one request.")

    def _read(
        self,
        runs: Sequence["_Run"],
        only: TaskFilter,
        wanted: int,
        position: str | None,
        budget: Budget,
        waiting: Collection[str],
    ) -> tuple[list[Task], str | None]:
        """Up to `wanted` matches, and the position where the budget ended the reading."""
        if position is not None:
            runs = runs[[run.letter for run in runs].index(position[0]) :]
        found: list[Task] = []
        look = wanted
        for run in runs:
            start = run.start(position)
            while len(found) < wanted:
                if budget.left <= 0:
                    return found, run.position(start) if start else run.letter
                # Matches may be rare: look at twice as many each time.
                most = SEARCH_LOOK if only.search else LARGEST_LOOK
                look = min(look * 2, most) if run.only or only.looks_closer else wanted - len(found)
                read = self._table.query(
                    run.where,
                    index=run.index,
                    only=run.only,
                    start=start,
                    descending=run.descending,
                    limit=look,
                )
                tasks = list(map(_task, read.items))
                budget.spend(_cost(read.looked_at, tasks, only))
                if only.looks_closer:
                    tasks = [task for task in tasks if only.shows(task, waiting)]
                found += tasks
                start = read.stopped
                if start is None:
                    break
            position = None
        return found[:wanted], None


def _cost(looked_at: int, tasks: Sequence[Task], only: TaskFilter) -> int:
    """What a look takes of the budget."""
    if not only.search:
        return looked_at
    characters = sum(len(task.description) for task in tasks)
    return looked_at * SEARCHED + characters // SEARCHED_CHARACTERS


@dataclass(frozen=True)
class _Run:
    """Tasks that lie together in one index, in the order of its sort key.

    A list is one run or several, one after the other. A position in it is the run's letter
    and the sort key, so that it stays where it is when tasks come and go around it: `c` in a list
    by creation, and in one by due date `d` for tasks that have one, `u` for the others.
    """

    letter: str
    user_id: str
    where: Condition
    only: Condition | None
    descending: bool
    index: str | None = None

    def position(self, key: Item) -> str:
        """The position of a key of this run."""
        return self.letter + str(key["due_order" if self.index else "task_id"]["S"])

    def start(self, position: str | None) -> Item | None:
        """The key to read on after; None for the beginning of the run."""
        sort_key = position[1:] if position else ""
        if not sort_key:
            return None
        if self.index is None:
            return codec.item(user_id=self.user_id, task_id=sort_key)
        task_id = sort_key.partition("#")[2]
        return codec.item(user_id=self.user_id, task_id=task_id, due_order=sort_key)


def _position_by_creation(task: Task) -> str:
    return f"c{task.task_id}"


def _position_by_due_date(task: Task) -> str:
    return f"d{task.due_order}" if task.due_at else f"u{task.task_id}"


def _runs(user_id: str, order: TaskOrder, only: TaskFilter, *, backward: bool) -> list[_Run]:
    """The runs that hold the user's list, in the order in which they are read."""
    if only.impossible:
        return []
    descending = (order.direction is OrderDirection.DESC) is not backward
    mine = Key("user_id").eq(user_id)
    conditions = _conditions(only)
    if order.field is TaskOrderField.CREATED_AT:
        return [_Run("c", user_id, mine, _all(conditions + _due_conditions(only)), descending)]
    earliest = clock.text(only.due_after) if only.due_after else "0"
    latest = clock.text(only.due_before) if only.due_before else "~"
    # A due_order is longer than the date that it begins with: nothing equals `latest`.
    dated = mine & Key("due_order").between(earliest, latest)
    runs = [_Run("d", user_id, dated, _all(conditions), descending, "by_due_date")]
    if not only.by_due_date:
        undated = [*conditions, Attr("due_at").not_exists()]
        runs.append(_Run("u", user_id, mine, _all(undated), descending))
    return runs[::-1] if backward else runs


def _conditions(only: TaskFilter) -> list[Condition]:
    """What DynamoDB itself can filter by, apart from due dates."""
    conditions: list[Condition] = []
    if only.status is not None:
        conditions.append(Attr("status").is_in([status.value for status in only.status]))
    if only.ready:
        conditions.append(Attr("status").is_in([status.value for status in OPEN]))
    if only.priority is not None:
        conditions.append(Attr("priority").is_in([priority.value for priority in only.priority]))
    if only.tags is not None:
        conditions.append(reduce(or_, [Attr("tags").contains(tag) for tag in only.tags]))
    return conditions


def _due_conditions(only: TaskFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if only.due_after is not None:
        conditions.append(Attr("due_at").gte(clock.text(only.due_after)))
    if only.due_before is not None:
        conditions.append(Attr("due_at").lt(clock.text(only.due_before)))
    return conditions


def _all(conditions: list[Condition]) -> Condition | None:
    return reduce(and_, conditions) if conditions else None
