"""Tasks in DynamoDB. The owner's id is the partition key, so nobody finds another's tasks.

user_id   task_id   attributes of `model.Task`, due_order for the index `by_due_date`, tag_keys,
                    due_until of tasks that are due on a day, and blocks_start and blocks_end,
                    between which all its planned blocks are
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from graphql_api.domain.blocks.closed import ClosedBlocks
from graphql_api.domain.changes.model import Actor, Change
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.open_tasks.store import OpenTaskStore
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.receipts import Made, Receipt, Receipts
from graphql_api.domain.tasks.writes import Move, Write, creation
from graphql_api.errors import ID, Conflict, NotFound
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
    ItemPage,
    Key,
    Put,
    codec,
    full_pages,
    pages,
)

MAX_ID_LENGTH = 128  # characters; our own ids have 36
MAX_QUERY = 1_000  # items per query
MAX_ACTIONS = 100  # of a transaction

_SELDOM = ("reminders", "position", "child_ids")  # what most tasks have none of

_decode = codec.decoder(Task)

TaskKey = tuple[str, str]  # user id, task id


class TaskStore:
    """Reads and writes the tasks of users."""

    def __init__(
        self, database: Database, changes: ChangeStore, *, rehearses: bool = False
    ) -> None:
        """With `rehearses`, all rules of a write hold, but nothing is stored."""
        self.rehearses = rehearses
        self.receipts = Receipts(database, rehearses=rehearses)
        self._database = database
        self._changes = changes
        self._timers = TimerStore(database)
        self._open = OpenTaskStore(database)
        self._closed_blocks = ClosedBlocks(database)
        self._table = database.table("Tasks")

    def write(self, *writes: Write, beside: Sequence[Action] = ()) -> None:
        """Carry out writes, with their changes and other actions, in one transaction.

        Raises ConditionFailed if a task has changed since it was read, or another condition fails.
        """
        if self.rehearses:
            return
        actions = [action for write in writes for action in self._actions(write)]
        try:
            self._database.transact(*actions, *beside)
        except ConditionFailed as failure:
            if not failure.maybe_applied or not self._is_done(writes[0]):
                raise
        for user_id in {write.change.user_id for write in writes}:
            self._changes.announce(user_id)

    def move(self, move: Move) -> None:
        """Carry out a move. Raises ConditionFailed if its task has changed since it was read."""
        self._database.transact(
            Put(self._table, _item(move.after), _unchanged(move.before)),
            *map(self._changes.put, move.changes),
            *self._timers.replacing(move.gone, move.new),
            *self._open.following(move.before, move.after),
        )
        if move.changes:
            self._changes.announce(move.after.user_id)

    def transactions(self, writes: Iterable[Write], beside: int = 0) -> Iterator[list[Write]]:
        """Writes in groups, each of which fits into one transaction beside so many actions."""
        group: list[Write] = []
        size = 0
        for write in writes:
            more = len(self._actions(write))
            if group and size + more > MAX_ACTIONS - beside:
                yield group
                group, size = [], 0
            group.append(write)
            size += more
        if group:
            yield group

    def _is_done(self, write: Write) -> bool:
        """Return whether a write without a response was carried out: its change is stored then."""
        return self._changes.find(write.change.user_id, write.change.change_id) is not None

    def _actions(self, write: Write) -> list[Action]:
        """A write's actions: the task first, by which it is known to be refused."""
        beside = [
            *map(self._changes.put, write.changes),
            *self._open.following(write.before, write.after),
            *self._closed_blocks.following(write.before, write.after),
            *map(self._timers.claim, write.claims),
            *self._timers.following(write.before, write.after, write.change.at),
        ]
        if write.after is None:
            key = {"user_id": write.change.user_id, "task_id": write.change.task_id}
            return [Delete(self._table, key, _unchanged(write.before)), *beside]
        return [Put(self._table, _item(write.after), _unchanged(write.before)), *beside]

    def create_once(self, write: Write, receipt: Receipt, beside: Sequence[Action] = ()) -> str:
        """Create a task, beside other actions, unless its idempotency key was used before.

        Returns the id of the task that was created with the key. Task and receipt are written in
        one transaction. Raises Conflict for a key that was used with other content, and
        ConditionFailed for another action's condition.
        """
        change = write.change
        if self.rehearses:
            made = self.receipts.find(receipt, Made)
            return made.task_id if made else change.task_id
        put = self.receipts.put(receipt, Made(change.task_id))
        try:
            self._database.transact(put, *self._actions(write), *beside)
        except ConditionFailed:
            made = self.receipts.find(receipt, Made)
            if made is None:
                raise
            return made.task_id
        self._changes.announce(change.user_id)
        return change.task_id

    def add_imported(self, task: Task, actor: Actor, now: datetime) -> bool:
        """Store an imported task; False if the user has a task of this id, which stays as it is."""
        try:
            self.write(creation(task, _names(task), actor, now))
        except ConditionFailed:
            return False
        return True

    def get(self, user_id: str, task_id: str, field: str = ID) -> Task:
        """The user's task. Raises NotFound for a missing task and for another user's.

        `field` is the argument that has named it.
        """
        item = self._table.get(user_id=user_id, task_id=task_id) if is_valid_key(task_id) else None
        if item is None:
            raise task_not_found(field)
        return _decode(item)

    def get_many(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """Tasks by key; keys without a task are left out."""
        items = self._table.get_many(
            [{"user_id": user, "task_id": task} for user, task in keys if is_valid_key(task)]
        )
        tasks = map(_decode, items)
        return {(task.user_id, task.task_id): task for task in tasks}

    def get_many_for_checks(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """Tasks by key, also those that no answer may have: what rules have to know of them."""
        return TaskStore.get_many(self, keys)

    def get_family(self, keys: Sequence[TaskKey]) -> dict[TaskKey, Task]:
        """Tasks by key that a write of one above or below them concerns.

        Raises Forbidden if some are there that no answer may have.
        """
        return self.get_many(keys)

    def check_family(self, changes: Sequence[Change]) -> None:
        """Raise Forbidden if no answer may tell of these changes of tasks above or below one."""

    def get_with(
        self, user_id: str, task_id: str, others: Sequence[str], fields: tuple[str, str]
    ) -> list[Task]:
        """The user's task and others of distinct ids, in this order.

        Raises NotFound, with the first of the fields for the task, the second for the others.
        """
        ids = (task_id, *others)
        tasks = self.get_many([(user_id, each) for each in ids])
        if (user_id, task_id) not in tasks:
            raise task_not_found(fields[0])
        if len(tasks) <= len(others):
            raise task_not_found(fields[1])
        return [tasks[user_id, each] for each in ids]

    def shown(self, user_id: str, task_ids: Collection[str]) -> list[str]:  # noqa: ARG002 - of whose tasks some may be hidden
        """The part of the ids that an answer may have: here all of them."""
        return list(task_ids)

    @contextmanager
    def hiding_cycles(self, user_id: str) -> Iterator[None]:
        """Let the error of a cycle name no task but those that an answer may have."""
        try:
            yield
        except Conflict as error:
            if "cycle" in error.details:
                error.details["cycle"] = self.shown(user_id, error.details["cycle"])
            raise

    def told(self, changes: Sequence[Change]) -> list[Change]:
        """The part of the changes that a reader may hear of: here all of them."""
        return list(changes)

    def unchanged_check(self, task: Task) -> Check:
        """Check, in a transaction, that the task still exists and has the same status."""
        key = {"user_id": task.user_id, "task_id": task.task_id}
        return Check(self._table, key, Attr("status").eq(task.status.value))

    def parent_check(self, task: Task) -> Check:
        """Check, in a transaction, that the task still exists and has the same parent."""
        key, parent = {"user_id": task.user_id, "task_id": task.task_id}, Attr("parent_id")
        same = parent.eq(task.parent_id) if task.parent_id else parent.not_exists()
        return Check(self._table, key, Attr("task_id").exists() & same)

    def children_check(self, task: Task) -> Check:
        """Check, in a transaction, that the task still exists and has the same subtasks."""
        key, children = {"user_id": task.user_id, "task_id": task.task_id}, Attr("child_ids")
        same = children.eq(task.child_ids) if task.child_ids else children.not_exists()
        return Check(self._table, key, Attr("task_id").exists() & same)

    def list_children(self, parent: Task, child_ids: Iterable[str]) -> None:
        """Give a task other subtasks. Raises ConditionFailed if it has changed."""
        self._database.transact(self.listing(parent, tuple(child_ids)))

    def listing(self, parent: Task, child_ids: Sequence[str]) -> Put:
        """The action that gives a task other subtasks, unless it has changed; nobody is told."""
        after = replace(parent, child_ids=tuple(child_ids))
        return Put(self._table, _item(after), _unchanged(parent))

    def as_read_check(self, key: TaskKey, task: Task | None) -> Check:
        """Check, in a transaction, that a task is as it was read, or still not there."""
        return Check(self._table, {"user_id": key[0], "task_id": key[1]}, _unchanged(task))

    def remove_all(self, user_id: str) -> None:
        """Delete all tasks of the user, and before them what is to be told of them."""
        for items in self._pages(user_id):
            self._timers.remove(list(map(_decode, items)))
            ids = [item["task_id"]["S"] for item in items]
            self._table.delete_many([{"user_id": user_id, "task_id": task_id} for task_id in ids])
        self._open.remove_all(user_id)
        self._closed_blocks.remove_all(user_id)

    def scan(self, size: int) -> Iterator[tuple[list[Task], int]]:
        """Yield all tasks of all users, so many at a time, and how many these are."""
        for read in full_pages(lambda start: self._table.scan(start=start, limit=size)):
            yield list(map(_decode, read.items)), read.scanned

    def all(self, user_id: str) -> Iterator[Task]:
        """All tasks of the user by id, read page by page."""
        for items in self._pages(user_id):
            yield from map(_decode, items)

    def in_project(self, user_id: str, project_id: str) -> Iterator[list[Task]]:
        """The tasks of a project, page by page; a page may have none."""
        for items in self._pages(user_id, Attr("project_id").eq(project_id)):
            yield list(map(_decode, items))

    def due_on_days(self, user_id: str) -> Iterator[Task]:
        """The tasks that are due on a day, read page by page."""
        for items in self._pages(user_id, Attr("due_day").exists()):
            yield from map(_decode, items)

    def _pages(self, user_id: str, filter: Condition | None = None) -> Iterator[list[Item]]:
        own = Key("user_id").eq(user_id)

        def read(start: Item | None) -> ItemPage:
            extend_deadline()
            return self._table.query(own, filter=filter, start=start, limit=MAX_QUERY)

        return pages(read)


def task_not_found(field: str | None = ID) -> NotFound:
    """The error for a missing task, and for another user's, with the argument that has named it."""
    return NotFound("Task not found or access denied", field)


def is_valid_key(task_id: str) -> bool:
    """Return whether DynamoDB can have such a key."""
    return 1 <= len(task_id) <= MAX_ID_LENGTH


def _unchanged(before: Task | None) -> Condition:
    """The condition that a task is as it was read; without one, that there is none."""
    if before is None:
        return Attr("task_id").not_exists()
    last, children = Attr("change_id"), Attr("child_ids")
    same = last.eq(before.change_id) if before.change_id else last.not_exists()
    same &= children.eq(before.child_ids) if before.child_ids else children.not_exists()
    if before.due_day:  # which moves to another time zone without a change
        same &= Attr("due_day").eq(before.due_day)
    return Attr("version").eq(before.version) & same


def _names(task: Task) -> Collection[str]:
    """The fields of a task that are not empty."""
    return codec.encode(task).keys()


def _item(task: Task) -> Item:
    keys = codec.item(due_order=task.due_order, tag_keys=task.tag_keys)
    item = {**codec.encode(task), **keys}
    if task.due_day:
        item |= codec.item(due_until=task.due_until)
    if task.planned_blocks:
        item |= codec.item(blocks_start=task.blocks_start, blocks_end=task.blocks_end)
    for name in _SELDOM:  # as in items that are older
        if not getattr(task, name):
            del item[name]
    return item
