"""Writes of tasks and their dependencies."""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict, version_conflict
from graphql_api.domain.dependencies.model import (
    BLOCKER_IDS,
    MAX_BLOCKERS,
    Dependencies,
    distinct_blockers,
)
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.due_days.model import DUE_ON, with_one_due
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.series.succession import Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.store import Receipt, TaskStore, task_not_found
from graphql_api.domain.tasks.writes import Write
from graphql_api.errors import (
    FIELD,
    AppError,
    BadUserInput,
    Conflict,
    FieldNames,
    NotFound,
    ServiceUnavailable,
)
from graphql_api.infra.dynamodb import Action, ConditionFailed, Database

Item = TypeVar("Item")
T = TypeVar("T")

MAX_ITEMS = 100  # tasks that one request may write
MAX_KEY_LENGTH = 255  # characters of an idempotency key
BLOCKED_BY_INDEX = "blocked_by_index"
KEY_TTL = timedelta(hours=24)


class Tasks:
    """The writes of tasks. The first argument is always the id of the tasks' owner."""

    def __init__(
        self,
        store: TaskStore,
        dependencies: DependencyStore,
        history: History,
        projects: ProjectStore,
        succession: Succession,
        settings: SettingsStore,
    ) -> None:
        self.history, self.succession = history, succession
        self._settings = settings
        self._store = store
        self._dependencies = dependencies
        self._projects = projects

    @classmethod
    def of(cls, database: Database, store: TaskStore, feed: Feed) -> "Tasks":
        """Build them on a database, with the history and the succession that belong to them."""
        dependencies, projects = DependencyStore(database), ProjectStore(database)
        settings = SettingsStore(database)
        succession = Succession(SeriesStore(database), store, settings)
        history = History(store, dependencies, feed, projects, succession, settings)
        return cls(store, dependencies, history, projects, succession, settings)

    def create(self, user_id: str, values: Mapping[str, Any], actor: Actor, now: datetime) -> Task:
        """Create a task; with an `idempotency_key`, once for all requests of that key.

        Raises BadUserInput, NotFound if there is no such project, and Conflict if the key was used
        with other content or its task was deleted.
        """
        fields = dict(values)
        key = fields.pop("idempotency_key", None)
        recurrence: Recurrence | None = fields.pop("recurrence", None)
        blocker_ids = _new_blockers(fields)
        zone, unmoved = self._settings.zone(user_id, fields.get(DUE_ON))
        plain = Task.new(user_id, fields, now, timezone=zone)
        full = self._with_defaults(plain, fields, zone, now)
        task, beside = self._beginning(full, recurrence, now)
        beside += unmoved
        given = {**fields, "recurrence": recurrence} if recurrence else fields
        given = {**given, writes.BLOCKED_BY: blocker_ids} if blocker_ids else given
        write = writes.creation(task, given, actor, now)
        if key is None:
            retry_on_conflict(
                lambda: self._write(write, [*beside, *self._blocking(task, blocker_ids)])
            )
            return write.result
        receipt = _receipt(key, plain, (recurrence, blocker_ids), now)

        def attempt() -> str:
            others = [*beside, *self._blocking(task, blocker_ids)]
            return self._joining(
                write, lambda more: self._store.create_once(write, receipt, [*others, *more])
            )

        task_id = retry_on_conflict(attempt)
        if task_id == task.task_id:
            return write.result
        try:
            return self._store.get(user_id, task_id)
        except NotFound:
            raise Conflict(
                "The task that was created with this idempotency key has been deleted.",
                field="idempotency_key",
            ) from None

    def _blocking(self, task: Task, blocker_ids: Sequence[str]) -> list[Action]:
        """The actions by which other tasks block a new one. Raises NotFound and BadUserInput."""
        if not blocker_ids:
            return []
        found = self._store.get_many([(task.user_id, each) for each in blocker_ids])
        if len(found) < len(blocker_ids):
            raise task_not_found(field=writes.BLOCKED_BY)
        before = self._dependencies.get(task.user_id)
        closed = [each.task_id for each in (task, *found.values()) if not each.open]
        if task.completed and len(closed) <= len(blocker_ids):
            raise _blocked(each.task_id for each in found.values() if each.open)
        after = before.add(task.task_id, blocker_ids, closed, writes.BLOCKED_BY)
        unchanged = map(self._store.unchanged_check, found.values())
        return [self._dependencies.action(before, after), *unchanged]

    def _beginning(
        self, task: Task, recurrence: Recurrence | None, now: datetime
    ) -> tuple[Task, list[Action]]:
        """A new task as the first of a series, and what begins that. Raises BadUserInput."""
        if recurrence is None:
            return task, []
        series, action = self.succession.beginning(task, recurrence, now)
        return replace(task, series_id=series.series_id), [action]

    def complete(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Complete the open task of `id`, and make the next one if it recurs.

        Raises NotFound, and Conflict if it is closed, or else as `update` does.
        """
        fields = {**changes, "status": TaskStatus.COMPLETED}
        return self._update(user_id, fields, actor, now, self._check_open)

    def skip(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Cancel the current occurrence of a series, and make the next one.

        Raises NotFound, BadUserInput if the task is none, and Conflict.
        """
        fields = {**changes, "status": TaskStatus.CANCELLED}
        return self._update(user_id, fields, actor, now, self.succession.check_current)

    def _check_open(self, task: Task) -> None:
        if not task.open:
            raise Conflict(f"This task is {task.status.value} already.", field="id")

    def update(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Change the task of `id`, if it still has the `expected_version` or none is given.

        With `merge_disjoint`, a later version will do if none of the fields has been changed
        since. Raises NotFound, BadUserInput, and Conflict if the task has another version or,
        unless the changes `force` it, if it is completed while it has open blockers.
        """
        return self._update(user_id, changes, actor, now, lambda _: None)

    def _update(
        self,
        user_id: str,
        changes: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        check: Callable[[Task], None],
    ) -> "Update":
        fields = dict(changes)
        task_id, expected_version = fields.pop("id"), fields.pop("expected_version", None)
        recurs, recurrence = "recurrence" in fields, fields.pop("recurrence", None)
        force, merge = bool(fields.pop("force", None)), bool(fields.pop("merge_disjoint", None))
        add, remove = fields.pop("add_tags", None) or (), fields.pop("remove_tags", None) or ()
        if "tags" in fields and (add or remove):
            raise BadUserInput(f"{FIELD} goes without add_tags and remove_tags.", "tags")

        def attempt() -> Update:
            before = self._store.get(user_id, task_id)
            merged = expected_version not in {None, before.version}
            if merged:
                names = with_one_due(fields).keys() | ({writes.RECURRENCE} if recurs else set())
                self._check_mergeable(before, expected_version, names if merge else None)
            check(before)
            tags = {"tags": before.retagged(add, remove)} if add or remove else {}
            zone, unmoved = self._settings.zone(user_id, fields.get(DUE_ON))
            after = before.edit({**fields, **tags}, now, timezone=zone)
            if recurs:
                task = self._recur(before, after, recurrence, unmoved, actor, now)
                return Update(task, merged=merged)
            if after is before:
                return Update(before, merged=merged)
            write = writes.edit(before, after, actor, now)
            closing = self._closing(before, after, force=force)
            more = self.succession.of_edit(write, actor, now)
            self._write(write, [*closing, *unmoved, *more.actions], more.writes)
            return Update(write.result, merged=merged, next=more.next)

        return retry_on_conflict(attempt)

    def _with_defaults(
        self, given: Task, fields: Mapping[str, Any], zone: str | None, now: datetime
    ) -> Task:
        """The new task with its project's defaults for fields that are not given."""
        key = (given.user_id, given.project_id or "")
        project = self._projects.get_many([key]).get(key) if given.project_id else None
        left = (
            {n: v for n, v in project.defaults.values.items() if n not in fields} if project else {}
        )
        if not left:
            return given
        return Task.new(given.user_id, {**fields, **left}, now, timezone=zone)

    def rename_tag(
        self,
        user_id: str,
        tasks: Sequence[Task],
        names: tuple[str, str],
        actor: Actor,
        now: datetime,
    ) -> int:
        """Give a tag of these tasks another name; return how many have changed.

        Each is a write of its own, so what a crash has interrupted can be repeated. Raises
        BadUserInput.
        """
        old, new = names

        def attempt(task_id: str) -> bool:
            before = self._store.get(user_id, task_id)
            after = before.edit({"tags": before.renamed_tag(old, new)}, now)
            if after is not before:
                self._write(writes.edit(before, after, actor, now))
            return after is not before

        changed = 0
        for task in tasks:
            with contextlib.suppress(NotFound):  # deleted meanwhile
                changed += retry_on_conflict(partial(attempt, task.task_id))
        return changed

    def _recur(
        self,
        before: Task,
        after: Task,
        recurrence: Recurrence | None,
        beside: Sequence[Action],
        actor: Actor,
        now: datetime,
    ) -> Task:
        """Write a task that comes again from now on, or no more. Raises BadUserInput."""
        if before.open is not after.open:
            raise BadUserInput("Close or open a task in a request of its own.", "recurrence")
        changed = self.succession.of_recurrence(before, after, recurrence, actor, now)
        if changed:
            write, action = changed
            self._write(write, [action, *beside])
            return write.result
        if after is before:
            return before
        write = writes.edit(before, after, actor, now)
        self._write(write, beside)
        return write.result

    def _write(
        self, write: Write, beside: Sequence[Action] = (), more: Sequence[Write] = ()
    ) -> None:
        """Carry out a write beside others and actions. Raises NotFound and ConditionFailed."""
        self._joining(
            write, lambda joining: self._store.write(write, *more, beside=[*beside, *joining])
        )

    def _joining(self, write: Write, carry_out: Callable[[Sequence[Action]], T]) -> T:
        """Carry out a write with the check that there is the project that its task is put into.

        Raises NotFound, and ConditionFailed for any other reason.
        """
        task, project_id = write.result, write.result.project_id
        if project_id is None or (write.before and write.before.project_id == project_id):
            return carry_out(())
        try:
            return carry_out([self._projects.presence(task.user_id, project_id)])
        except ConditionFailed:
            self._projects.get(task.user_id, project_id, "project_id")
            raise

    def _check_mergeable(self, task: Task, version: int, names: Collection[str] | None) -> None:
        """Raise Conflict unless none of these fields was changed after a version.

        No names stand for a change that is not to be merged.
        """
        if names is None or version > task.version:
            raise version_conflict("task", task.version)
        since = self.history.fields_since(task, version)
        if since is None:
            raise version_conflict("task", task.version)
        if both := since & set(names):
            raise version_conflict("task", task.version, fields=FieldNames(sorted(both)))

    def delete(
        self,
        user_id: str,
        id: str,
        actor: Actor,
        now: datetime,
        expected_version: int | None = None,
    ) -> "Deletion":
        """Delete the task, and its dependencies with it.

        Raises NotFound, and Conflict if the task has not the expected version.
        """

        def attempt() -> Deletion:
            task = self._store.get(user_id, id)
            check_version("task", task.version, expected_version)
            before = self._dependencies.get(user_id)
            action = self._dependencies.action(before, before.without(id))
            ending = self.succession.of_deletion(task, now).actions
            self._store.write(writes.deletion(task, before, actor, now), beside=[action, *ending])
            return Deletion(id, before.blocked_by(id))

        return retry_on_conflict(attempt)

    def add_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "DependencyChange":
        """Add blockers to the task.

        Raises NotFound if one of them is missing, BadUserInput for too many of them, and
        Conflict, with the `cycle`, if the task would block itself.
        """
        ids = distinct_blockers(task_id, blocker_ids)

        def attempt() -> DependencyChange:
            task, *blockers = self._store.get_with(user_id, task_id, ids, BLOCKER_IDS)
            before = self._dependencies.get(user_id)
            closed = [each.task_id for each in (task, *blockers) if not each.open]
            after = before.add(task_id, ids, closed)
            if after is before:
                return DependencyChange(task, before)
            action = self._dependencies.action(before, after)
            unchanged = map(self._store.unchanged_check, blockers)
            write = writes.linking(task, before, actor, now)
            self._store.write(write, beside=[action, *unchanged])
            return DependencyChange(write.result, after)

        return retry_on_conflict(attempt)

    def remove_blockers(
        self, user_id: str, task_id: str, blocker_ids: Iterable[str], actor: Actor, now: datetime
    ) -> "DependencyChange":
        """Remove blockers from the task. Raises NotFound and BadUserInput."""
        ids = distinct_blockers(task_id, blocker_ids)

        def attempt() -> DependencyChange:
            task = self._store.get(user_id, task_id)
            before = self._dependencies.get(user_id)
            after = before.remove(task_id, ids)
            if after is before:
                return DependencyChange(task, before)
            write = writes.linking(task, before, actor, now)
            self._store.write(write, beside=[self._dependencies.action(before, after)])
            return DependencyChange(write.result, after)

        return retry_on_conflict(attempt)

    def _closing(self, before: Task, after: Task, *, force: bool) -> list[Action]:
        """The write of the dependencies that belongs to closing or reopening a task."""
        if before.status is after.status or (before.open and after.open):
            return []
        dependencies = self._dependencies.get(after.user_id)
        blockers = dependencies.open_blockers(after.task_id)
        if after.completed and blockers and not force:
            raise _blocked(blockers)
        marked = dependencies.mark(after.task_id, closed=not after.open)
        return [self._dependencies.action(dependencies, marked)]


@dataclass(frozen=True, slots=True)
class Update:
    """A task after an update, and whether that was merged with changes made since."""

    task: Task
    merged: bool
    next: Task | None = None  # the occurrence that has become current, if one was closed


@dataclass(frozen=True, slots=True)
class Deletion:
    """The id of a deleted task, and those of the tasks that it blocked."""

    task_id: str
    released: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependencyChange:
    """A task, and the user's dependencies after a change of its blockers."""

    task: Task
    dependencies: Dependencies


def _blocked(blocker_ids: Iterable[str]) -> Conflict:
    """Return the error of completing a task that open ones block."""
    return Conflict(
        "This task is blocked by open tasks.", field="status", blockers=list(blocker_ids)
    )


def _new_blockers(fields: dict[str, Any]) -> tuple[str, ...]:
    """Take the blockers of a new task out of its fields. Raises BadUserInput."""
    if fields.pop(BLOCKED_BY_INDEX, None):
        raise BadUserInput(f"{FIELD} is for several new tasks.", BLOCKED_BY_INDEX)
    ids = tuple(dict.fromkeys(fields.pop(writes.BLOCKED_BY, None) or ()))
    if len(ids) > MAX_BLOCKERS:
        raise BadUserInput(f"{FIELD} must have at most {MAX_BLOCKERS} items.", writes.BLOCKED_BY)
    return ids


def _receipt(
    key: str, task: Task, beside: tuple[Recurrence | None, Sequence[str]], now: datetime
) -> Receipt:
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise BadUserInput(
            f"An idempotency key must have 1 to {MAX_KEY_LENGTH} characters.", "idempotency_key"
        )
    digest = hashlib.sha256(key.encode()).hexdigest()
    expires = now + KEY_TTL
    content = task.content_digest()
    recurrence, blocker_ids = beside
    if recurrence:
        content = hashlib.sha256(f"{content}{recurrence}".encode()).hexdigest()
    if blocker_ids:
        content = hashlib.sha256(f"{content}{sorted(blocker_ids)}".encode()).hexdigest()
    return Receipt(digest, content, int(now.timestamp()), int(expires.timestamp()))


def run_each(items: Sequence[Item], write: Callable[[Item], T]) -> list[T | AppError]:
    """Write each item, in order: the results, or the error of each that failed.

    Raises BadUserInput for too many items, or none. After ServiceUnavailable the rest is not
    tried, since each attempt would take as long to fail.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise BadUserInput(f"{FIELD} must have 1 to {MAX_ITEMS} items.", "tasks")
    results: list[T | AppError] = []
    outage: ServiceUnavailable | None = None
    for item in items:
        try:
            results.append(outage or write(item))
        except ServiceUnavailable as error:
            outage = error
            results.append(error)
        except AppError as error:
            results.append(error)
    return results


def run_each_released(
    changes: Sequence[dict[str, Any]], write: Callable[[dict[str, Any]], T]
) -> list[T | AppError]:
    """Write each change, in order, as `run_each`; those that wait for others of them, after these.

    So a task and its blockers are completed together, in whatever order they are given.
    """
    results = run_each(changes, write)
    pairs = zip(changes, results, strict=True)
    done = {change["id"] for change, result in pairs if not isinstance(result, AppError)}
    again = True
    while again:
        again = False
        for n, result in enumerate(results):
            blockers = result.details.get("blockers", ()) if isinstance(result, AppError) else ()
            if blockers and done.issuperset(blockers):
                [results[n]] = run_each([changes[n]], write)
                if not isinstance(results[n], AppError):
                    done.add(changes[n]["id"])
                    again = True
    return results


def run_each_blocked(
    items: Sequence[dict[str, Any]], create: Callable[[dict[str, Any]], Task]
) -> list[Task | AppError]:
    """Create each task after those of the same call that block it; the results in the given order.

    `blocked_by_index` of an item names them by their places. If one of them fails, so does it.
    """
    results: dict[int, Task | AppError] = {}

    def blocked(place: int) -> dict[str, Any]:
        """The item of a place, whose blockers have their ids by now. Raises BadUserInput."""
        item = dict(items[place])
        ids = [*(item.get(writes.BLOCKED_BY) or ())]
        for other in item.pop(BLOCKED_BY_INDEX, None) or ():
            blocker = results.get(other)
            if not isinstance(blocker, Task):
                raise BadUserInput(
                    f"{FIELD} names a task that was not created, or that this one blocks.",
                    BLOCKED_BY_INDEX,
                )
            ids.append(blocker.task_id)
        return {**item, writes.BLOCKED_BY: tuple(ids)} if ids else item

    order = _creation_order([item.get(BLOCKED_BY_INDEX) or () for item in items])

    def create_at(place: int) -> Task:
        results[place] = created = create(blocked(place))
        return created

    outcomes = run_each(order, create_at)
    by_place = dict(zip(order, outcomes, strict=True))
    return [by_place[place] for place in range(len(items))]


def _creation_order(blockers: Sequence[Collection[int]]) -> list[int]:
    """The places of tasks, each after those that block it; of those in a cycle, at the end."""
    order: list[int] = []
    waiting = list(range(len(blockers)))
    while ready := [each for each in waiting if set(blockers[each]) <= set(order)]:
        order.append(ready[0])
        waiting.remove(ready[0])
    return [*order, *waiting]
