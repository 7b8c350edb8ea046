"""Tasks in DynamoDB: the owner is the partition, so only the owner's tasks can be found.

user_id   task_id   attributes of `model.Task`, and due_order for the index `by_due_date`

The receipts of idempotency keys lie among the user's items in the table of users:

    user_id   item=idempotency#<key>   task_id, content, expires_at

and so do those of the last deletions, in a few places that are used again and again:

    user_id   item=deleted#<place>     write

A `write` is a random token, by which a write whose answer was lost is known again as ours.
"""

import math
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from graphql_api import clock
from graphql_api.domain.paging import Budget, Page, Window
from graphql_api.domain.tasks.model import (
    OPEN,
    OrderDirection,
    Task,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
)
from graphql_api.errors import Conflict, NotFound, QueryTooComplex, UnknownOutcome
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    Check,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    Read,
    codec,
    looks,
)

LONGEST_ID = 128  # characters; ours have 36
MOST_READ = 10_000  # items that one request may look at
SEARCHED = 3  # times what an item costs that is not only read but searched, here …
SEARCHED_CHARACTERS = 1_000  # … and once more for so many characters of it
COUNTED = 10  # items cost what one does if they are only counted, there
LARGEST_LOOK = 1_000  # items in one look at them
SEARCH_LOOK = 200
COUNT_LOOK = 10_000

_task = codec.decoder(Task)

TaskKey = tuple[str, str]  # user id, task id


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an idempotency key made a task of some content; times in epoch seconds, as TTL is."""

    key: str
    content: str
    now: int
    expires_at: int


class TaskStore:
    """Keeps each user's tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Tasks")
        self._receipts = database.table("Users")  # they lie in the user's partition there

    def add(self, task: Task) -> None:
        """Keep a new task."""
        try:
            self._table.put(_item(task), Attr("task_id").not_exists())
        except ConditionFailed:
            # Nobody else can have made this random id: it is our own first attempt, whose
            # answer was lost on the way.
            return

    def restore(self, task: Task) -> bool:
        """Keep a task that was made before; False if the user has one of its id, which stays."""
        try:
            self._table.put(_item(task), Attr("task_id").not_exists())
        except ConditionFailed:
            return False
        return True

    def add_once(self, task: Task, receipt: Receipt) -> str:
        """Keep a new task unless its key was used before; the id of the task that the key made.

        The receipt is written with the task or not at all. Raises Conflict for a key that
        was used with other content.
        """
        key = {"user_id": task.user_id, "item": f"idempotency#{receipt.key}"}
        unused = Attr("item").not_exists() | Attr("expires_at").lt(receipt.now)
        kept = codec.item(
            **key, task_id=task.task_id, content=receipt.content, expires_at=receipt.expires_at
        )
        try:
            self._database.write(
                Put(self._receipts, kept, unused),
                Put(self._table, _item(task), Attr("task_id").not_exists()),
            )
        except ConditionFailed:
            item = self._receipts.get(**key)
            if item is None or item["content"]["S"] != receipt.content:
                raise Conflict(
                    "This idempotency key was used with other content.", field="idempotencyKey"
                ) from None
            return str(item["task_id"]["S"])
        return task.task_id

    def get(self, user_id: str, task_id: str) -> Task:
        """The user's task; NotFound for another's as for a missing one."""
        item = self._table.get(user_id=user_id, task_id=task_id) if _possible(task_id) else None
        if item is None:
            raise task_not_found()
        return _task(item)

    def get_many(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """Tasks by their keys; keys without a task are left out."""
        items = self._table.get_many(
            [{"user_id": user, "task_id": task} for user, task in keys if _possible(task)]
        )
        tasks = map(_task, items)
        return {(task.user_id, task.task_id): task for task in tasks}

    def get_with(self, user_id: str, task_id: str, others: Sequence[str], field: str) -> list[Task]:
        """The user's task and others of distinct ids, in their order.

        Raises NotFound, with the field that names them if one of the others is missing.
        """
        tasks = self.get_many([(user_id, each) for each in (task_id, *others)])
        if (user_id, task_id) not in tasks:
            raise task_not_found()
        if len(tasks) <= len(others):
            raise task_not_found(field=field)
        return [tasks[user_id, each] for each in (task_id, *others)]

    def as_it_was(self, task: Task) -> Check:
        """What sees, in a transaction, that the task is still there and of its status."""
        key = {"user_id": task.user_id, "task_id": task.task_id}
        return Check(self._table, key, Attr("status").eq(task.status.value))

    def replace(self, before: Task, after: Task, *beside: Action) -> None:
        """Put the task's next state in place, and do what belongs to it, or nothing.

        ConditionFailed if it has changed meanwhile, or a condition beside it does not hold.
        """
        write = uuid.uuid4().hex
        put = self._next(before, after, write)
        try:
            if beside:
                self._database.write(put, *beside)
            else:
                self._table.put(put.item, put.condition)
        except ConditionFailed as failure:
            if not failure.unsure or not self._was_ours(after, write):
                raise

    def replace_all(self, pairs: Sequence[tuple[Task, Task]]) -> None:
        """Put the next states of a few tasks in place, or of none.

        ConditionFailed if one of them has changed meanwhile, by this very call, too, if its
        answer was lost: the caller looks at the tasks again.
        """
        self._database.write(
            *(self._next(before, after, uuid.uuid4().hex) for before, after in pairs)
        )

    def _next(self, before: Task, after: Task, write: str) -> Put:
        """What puts a task's next state in place, if it has not changed meanwhile."""
        item = {**_item(after), **codec.item(write=write)}
        return Put(self._table, item, Attr("version").eq(before.version))

    def delete(self, user_id: str, task_id: str, version: int | None, *beside: Action) -> None:
        """Delete the user's task, if it still is of this version, and do what belongs to it.

        Raises NotFound or Conflict; ConditionFailed if only a condition beside it does not hold.
        """
        if not _possible(task_id):
            raise task_not_found()
        condition: Condition = Attr("task_id").exists()
        if version is not None:
            condition &= Attr("version").eq(version)
        write = uuid.uuid4().hex
        receipt = {"user_id": user_id, "item": f"deleted#{write[0]}"}
        try:
            self._database.write(
                Delete(self._table, {"user_id": user_id, "task_id": task_id}, condition),
                Put(self._receipts, codec.item(**receipt, write=write)),
                *beside,
            )
        except ConditionFailed as failure:
            if failure.unsure and _written(self._receipts.get(**receipt)) == write:
                return
            found = self._table.get(user_id=user_id, task_id=task_id)
            if found:
                task = _task(found)
                if version in {None, task.version}:
                    raise
                raise version_conflict(task) from None
            if failure.unsure:
                raise UnknownOutcome from None
            raise task_not_found() from None

    def _was_ours(self, after: Task, write: str) -> bool:
        """Whether the task has come to be so by this write; False if somebody else was first.

        Raises UnknownOutcome if so much has happened since that nobody can tell.
        """
        item = self._table.get(user_id=after.user_id, task_id=after.task_id)
        if item is None or _task(item).version > after.version:
            raise UnknownOutcome
        return _written(item) == write

    def remove_all(self, user_id: str) -> None:
        """Delete all of the user's tasks."""
        for items in self._looks(user_id):
            ids = [item["task_id"]["S"] for item in items]
            self._table.delete_many([{"user_id": user_id, "task_id": task_id} for task_id in ids])

    def all(self, user_id: str) -> Iterator[Task]:
        """All of the user's tasks in the order of their ids, read as they are asked for."""
        for items in self._looks(user_id):
            yield from map(_task, items)

    def _looks(self, user_id: str) -> Iterator[list[Item]]:
        def read(start: Item | None) -> Read:
            extend_deadline()
            return self._table.query(Key("user_id").eq(user_id), start=start, limit=LARGEST_LOOK)

        return looks(read)

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


def task_not_found(**details: str) -> NotFound:
    """What a missing task and another user's are answered with."""
    return NotFound("Task not found or access denied", **details)


def version_conflict(task: Task) -> Conflict:
    """What a write gets that expected another version."""
    return Conflict(
        "The task has changed meanwhile.", field="expectedVersion", currentVersion=task.version
    )


def _written(item: Item | None) -> str | None:
    """The token of the write that has put the item there."""
    return item["write"]["S"] if item and "write" in item else None


def _possible(task_id: str) -> bool:
    """Whether this text can be the key of a task at all."""
    return 1 <= len(task_id) <= LONGEST_ID


def _item(task: Task) -> Item:
    return {**codec.encode(task), **codec.item(due_order=task.due_order)}


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
