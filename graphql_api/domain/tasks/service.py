"""Writes of tasks and their dependencies."""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Actor, ChangeKind
from graphql_api.domain.conflicts import check_version, retry_on_conflict, version_conflict
from graphql_api.domain.dependencies.model import (
    BLOCKER_IDS,
    MAX_BLOCKERS,
    NO_CHILDREN,
    Dependencies,
    distinct_blockers,
)
from graphql_api.domain.dependencies.store import DependencyStore, Links
from graphql_api.domain.due_days.model import DUE_ON, with_one_due
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.series.succession import Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.model import INHERITED, PARENT_ID, ChildFate, check_size
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.subtasks.renewal import Renewals
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
BLOCKED_BY_INDEX, PARENT_INDEX = "blocked_by_index", "parent_index"
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
        renewals: Renewals,
    ) -> None:
        self.history, self.succession = history, succession
        self._settings = settings
        self._store = store
        self._dependencies = dependencies
        self._projects = projects
        self._placement = Placement(store)
        self._renewals = renewals

    @classmethod
    def of(
        cls, database: Database, store: TaskStore, feed: Feed, projects: ProjectStore | None = None
    ) -> "Tasks":
        """Build them on a database, with the history and the succession that belong to them."""
        dependencies, projects = DependencyStore(database), projects or ProjectStore(database)
        settings = SettingsStore(database)
        succession = Succession(SeriesStore(database), store, settings)
        history = History(store, dependencies, feed, projects, succession, settings)
        renewals = Renewals.of(database, store)
        return cls(store, dependencies, history, projects, succession, settings, renewals)

    def create(
        self,
        user_id: str,
        values: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        *,
        said: str | None = None,
    ) -> Task:
        """Create a task; with an `idempotency_key`, once for all requests of that key.

        `said` is what clients repeat where that means other values tomorrow. Raises
        BadUserInput, NotFound if there is no such project, and Conflict if the key was used with
        other content or its task was deleted.
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
        if task.series_id:
            begun = ChangeKind.SERIES_CREATED
            write = writes.beside_series(write, begun, task.series_id, (), actor, now)
        if key is None:
            retry_on_conflict(
                lambda: self._write(write, [*beside, *self._tying(task, blocker_ids)])
            )
            return write.result
        receipt = _receipt(key, said or _content(plain, recurrence, blocker_ids), now)

        def attempt() -> str:
            others = [*beside, *self._tying(task, blocker_ids)]
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

    def _tying(self, task: Task, blocker_ids: Sequence[str]) -> list[Action]:
        """The actions by which a new task is blocked by others, and lies below its parent."""
        links = self._dependencies.links(task.user_id)
        unchanged = self._blocking(task, blocker_ids, links) if blocker_ids else []
        placing = self._placement.actions(None, task, links)
        return [*links.actions(), *unchanged, *placing]

    def _blocking(self, task: Task, blocker_ids: Sequence[str], links: Links) -> list[Action]:
        """Let other tasks block a new one; check that they stay. Raises NotFound, BadUserInput."""
        found = self._store.get_many([(task.user_id, each) for each in blocker_ids])
        if len(found) < len(blocker_ids):
            raise task_not_found(field=writes.BLOCKED_BY)
        closed = [each.task_id for each in (task, *found.values()) if not each.open]
        if task.completed and len(closed) <= len(blocker_ids):
            raise _blocked(each.task_id for each in found.values() if each.open)
        links.change(links.before.add(task.task_id, blocker_ids, closed, writes.BLOCKED_BY))
        return list(map(self._store.unchanged_check, found.values()))

    def _beginning(
        self, task: Task, recurrence: Recurrence | None, now: datetime
    ) -> tuple[Task, list[Action]]:
        """A new task as the first of a series, and what begins that. Raises BadUserInput."""
        if recurrence is None:
            return task, []
        if task.parent_id is not None:
            raise _comes_with_parent("recurrence")
        series, action = self.succession.beginning(task, recurrence, now)
        return replace(task, series_id=series.series_id), [action]

    def complete(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Complete the open task of `id`, and make the next one if it recurs.

        `children` are what becomes of open tasks below it. Raises NotFound, and Conflict if it is
        closed, or else as `update` does.
        """
        fields = {**changes, "status": TaskStatus.COMPLETED}
        children = fields.pop("children", None)
        if children is ChildFate.COMPLETE:
            self._complete_below(user_id, fields, actor, now)
        keeps = children is ChildFate.KEEP
        return self._update(user_id, fields, actor, now, self._check_open, keeps_children=keeps)

    def _complete_below(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> None:
        """Complete the open tasks below one, the lowest first. Raises as `complete` does."""

        def attempt() -> None:
            task = self._store.get(user_id, changes["id"])
            check_version("task", task.version, changes.get("expected_version"))
            self._check_open(task)
            below = self._placement.below(task)
            check_size(below, "completed")
            left = [each for level in reversed(below) for each in level if each.open]
            known = self._dependencies.get(user_id)
            if not changes.get("force"):
                self._check_released([*left, task], known)
            done = {"status": TaskStatus.COMPLETED}
            edits = [writes.edit(each, each.edit(done, now), actor, now) for each in left]
            self._write_all(edits, known, lambda at, task_id: at.mark(task_id, closed=True))

        retry_on_conflict(attempt)

    def _check_released(self, tasks: Sequence[Task], known: Dependencies) -> None:
        """Raise Conflict if others than these tasks block one of them."""
        own = {each.task_id for each in tasks}
        blockers = {other for task_id in own for other in known.open_blockers(task_id)}
        if others := blockers - own:
            raise _blocked(self._store.shown(tasks[0].user_id, sorted(others)))

    def _write_all(
        self,
        some: Sequence[Write],
        known: Dependencies,
        change: Callable[[Dependencies, str], Dependencies],
        last: Sequence[Action] = (),
    ) -> None:
        """Carry out writes in as few transactions as hold them, with what each changes of links.

        The last one has further actions. Raises ConditionFailed.
        """
        for group in self._store.transactions(some, beside=1 + len(last)):
            before = known
            for write in group:
                known = change(known, write.change.task_id)
            beside = last if group[-1] is some[-1] else ()
            self._store.write(*group, beside=[self._dependencies.action(before, known), *beside])

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
        *,
        keeps_children: bool = False,
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
            own = self._own(before, fields)
            zone, unmoved = self._settings.zone(user_id, own.get(DUE_ON))
            after = before.edit({**own, **tags}, now, timezone=zone)
            if recurs:
                task = self._recur(before, after, recurrence, unmoved, actor, now)
                return Update(task, merged=merged)
            if after is before:
                return Update(before, merged=merged)
            write = writes.edit(before, after, actor, now)
            links = self._dependencies.links(user_id)
            tying = self._retying(before, after, links, force=force, keeps_children=keeps_children)
            more = self.succession.of_edit(write, links, actor, now, checks=len(tying))
            write = more.told_by(write, actor, now)
            renewing = self._renewals.begin(before, more.next, now)
            beside = [*tying, *links.actions(), *unmoved, *more.actions, *renewing]
            self._write(write, beside, more.writes)
            return Update(write.result, merged=merged, next=more.next)

        update = retry_on_conflict(attempt)
        if update.next is None:
            return update
        renewed = self._renewals.complete(update.task, update.next, actor, now)
        return replace(update, next=renewed)

    def _own(self, task: Task, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields without those that the task shows already, as its place or from a parent.

        So who sends a task back as it came changes nothing.
        """
        shown = {"position": task.place}
        if task.parent_id is not None and any(fields.get(name) is not None for name in INHERITED):
            shown |= self._placement.heir(task).values
        return {n: v for n, v in fields.items() if n not in shown or shown[n] != v}

    def _retying(
        self, before: Task, after: Task, links: Links, *, force: bool, keeps_children: bool
    ) -> list[Action]:
        """The actions that belong to closing, reopening and moving a task, beside its links."""
        self._closing(before, after, links, force=force)
        placing = self._placing(before, after, links)
        if after.completed and not (before.completed or force or keeps_children):
            self._check_children(after)
        return placing

    def _placing(self, before: Task, after: Task, links: Links) -> list[Action]:
        """The actions of putting a task below another one. Raises BadUserInput if it recurs."""
        is_moved = after.parent_id not in {None, before.parent_id}
        if is_moved and self.succession.is_current(before):
            raise _comes_with_parent(PARENT_ID)
        return self._placement.actions(before, after, links)

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
        if recurrence and after.parent_id is not None:
            raise _comes_with_parent("recurrence")
        links = self._dependencies.links(after.user_id)
        beside = [*beside, *self._placement.actions(before, after, links), *links.actions()]
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
        """Delete the task and all tasks below it, and their dependencies with them.

        Those below come first, the task itself last: what a crash has interrupted can be repeated.
        Raises NotFound, BadUserInput if there are too many, and Conflict if the task has not the
        expected version.
        """

        def attempt() -> Deletion:
            task = self._store.get(user_id, id)
            check_version("task", task.version, expected_version)
            below = self._placement.below(task)
            check_size(below, "deleted")
            all_below = [each for level in below for each in level]
            return self._delete_all(task, all_below, begun, actor, now)

        begun: dict[str, Write] = {}
        return retry_on_conflict(attempt)

    def _delete_all(
        self,
        task: Task,
        below: Sequence[Task],
        begun: dict[str, Write],
        actor: Actor,
        now: datetime,
    ) -> "Deletion":
        """Delete a task after those below it, in as few transactions as hold them.

        `begun` are the deletions of attempts before, some of which were carried out.
        """
        known = self._dependencies.get(task.user_id)
        there = self._store.get_many_for_checks([(task.user_id, each) for each in begun])
        done = [write for each, write in begun.items() if (task.user_id, each) not in there]
        gone = [writes.deletion(each, known, actor, now) for each in below]
        begun |= {each.change.task_id: each for each in gone}
        ids = [each.change.change_id for each in (*done, *gone)]
        last = writes.deletion(task, known, actor, now, ids)
        leaving = self._placement.of_removal(task)
        more = self.succession.of_deletion(task, now)
        last = more.told_by(last, actor, now)
        leaving += more.actions
        self._write_all([*reversed(gone), last], known, Dependencies.without, leaving)
        deleted = [task.task_id, *(each.change.task_id for each in (*done, *gone))]
        released = {other: None for each in deleted for other in known.blocked_by(each)}
        others = [other for other in released if other not in deleted]
        return Deletion(tuple(deleted), tuple(self._store.shown(task.user_id, others)))

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
            links = self._dependencies.links(user_id)
            before = links.before
            closed = [each.task_id for each in (task, *blockers) if not each.open]
            is_awaited = task.parent_id is not None or before.blocked_by(task_id)
            children = (
                self._placement.children_of(user_id, blockers, links) if is_awaited else NO_CHILDREN
            )
            with self._store.hiding_cycles(user_id):
                after = before.add(task_id, ids, closed, children=children)
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

    def _closing(self, before: Task, after: Task, links: Links, *, force: bool) -> None:
        """Mark a task as closed or reopened. Raises Conflict for open blockers, unless forced."""
        if before.status is after.status or (before.open and after.open):
            return
        blockers = links.before.open_blockers(after.task_id)
        if after.completed and blockers and not force:
            raise _blocked(self._store.shown(after.user_id, blockers))
        links.change(links.before.mark(after.task_id, closed=not after.open))

    def _check_children(self, task: Task) -> None:
        """Raise Conflict with the subtasks that are open, if any.

        One that is reopened at the same time might as well be reopened afterwards.
        """
        subtasks = self._store.get_many([(task.user_id, each) for each in task.child_ids])
        if unfinished := [each.task_id for each in subtasks.values() if each.open]:
            raise Conflict(
                "This task has open subtasks.", field="status", subtasks=sorted(unfinished)
            )


@dataclass(frozen=True, slots=True)
class Update:
    """A task after an update, and whether that was merged with changes made since."""

    task: Task
    merged: bool
    next: Task | None = None  # the occurrence that has become current, if one was closed


@dataclass(frozen=True, slots=True)
class Deletion:
    """The ids of a deleted task and of those below it, and those of the tasks that they blocked."""

    task_ids: tuple[str, ...]
    released: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependencyChange:
    """A task, and the user's dependencies after a change of its blockers."""

    task: Task
    dependencies: Dependencies


def _comes_with_parent(field: str) -> BadUserInput:
    """Return the error of a subtask that is to recur by itself."""
    return BadUserInput("A subtask comes again with its parent only, not by itself.", field)


def _blocked(blocker_ids: Iterable[str]) -> Conflict:
    """Return the error of completing a task that open ones block."""
    return Conflict(
        "This task is blocked by open tasks.", field="status", blockers=list(blocker_ids)
    )


def _new_blockers(fields: dict[str, Any]) -> tuple[str, ...]:
    """Take the blockers of a new task out of its fields. Raises BadUserInput."""
    for name in (BLOCKED_BY_INDEX, PARENT_INDEX):
        if fields.pop(name, None) not in {None, ()}:
            raise BadUserInput(f"{FIELD} is for several new tasks.", name)
    ids = tuple(dict.fromkeys(fields.pop(writes.BLOCKED_BY, None) or ()))
    if len(ids) > MAX_BLOCKERS:
        raise BadUserInput(f"{FIELD} must have at most {MAX_BLOCKERS} items.", writes.BLOCKED_BY)
    return ids


def _content(task: Task, recurrence: Recurrence | None, blocker_ids: Sequence[str]) -> str:
    """A digest of what a client has given for a task."""
    content = task.content_digest()
    if recurrence:
        content = hashlib.sha256(f"{content}{recurrence}".encode()).hexdigest()
    if blocker_ids:
        content = hashlib.sha256(f"{content}{sorted(blocker_ids)}".encode()).hexdigest()
    return content


def _receipt(key: str, content: str, now: datetime) -> Receipt:
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise BadUserInput(
            f"An idempotency key must have 1 to {MAX_KEY_LENGTH} characters.", "idempotency_key"
        )
    digest = hashlib.sha256(key.encode()).hexdigest()
    expires = now + KEY_TTL
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
            details = result.details if isinstance(result, AppError) else {}
            awaited = [*details.get("blockers", ()), *details.get("subtasks", ())]
            if awaited and done.issuperset(awaited):
                [results[n]] = run_each([changes[n]], write)
                if not isinstance(results[n], AppError):
                    done.add(changes[n]["id"])
                    again = True
    return results


def run_each_related(
    items: Sequence[dict[str, Any]], create: Callable[[dict[str, Any]], Task]
) -> list[Task | AppError]:
    """Create each task after those of the same call that it names; the results in the given order.

    `blocked_by_index` of an item names blockers by their places, `parent_index` its parent. If one
    of them fails, so does it.
    """
    results: dict[int, Task | AppError] = {}

    def id_of(place: int, field: str) -> str:
        """The id of the task of a place, which is there by now. Raises BadUserInput."""
        other = results.get(place)
        if not isinstance(other, Task):
            raise BadUserInput(
                f"{FIELD} names a task that was not created, or that waits for this one.", field
            )
        return other.task_id

    def related(place: int) -> dict[str, Any]:
        """The item of a place, with ids in the place of places. Raises BadUserInput."""
        item = dict(items[place])
        ids = [*(item.get(writes.BLOCKED_BY) or ())]
        ids += [id_of(other, BLOCKED_BY_INDEX) for other in item.pop(BLOCKED_BY_INDEX, None) or ()]
        item |= {writes.BLOCKED_BY: tuple(ids)} if ids else {}
        parent = item.pop(PARENT_INDEX, None)
        if parent is None:
            return item
        if item.get(PARENT_ID) is not None:
            raise BadUserInput(f"{FIELD} goes without parent_id.", PARENT_INDEX)
        return {**item, PARENT_ID: id_of(parent, PARENT_INDEX)}

    order = _creation_order([_places(item) for item in items])

    def create_at(place: int) -> Task:
        results[place] = created = create(related(place))
        return created

    outcomes = run_each(order, create_at)
    by_place = dict(zip(order, outcomes, strict=True))
    return [by_place[place] for place in range(len(items))]


def _places(item: Mapping[str, Any]) -> list[int]:
    """The places of the tasks that an item names."""
    parent = item.get(PARENT_INDEX)
    return [*(item.get(BLOCKED_BY_INDEX) or ()), *(() if parent is None else (parent,))]


def _creation_order(named: Sequence[Collection[int]]) -> list[int]:
    """The places of tasks, each after those that it names; of those in a cycle, at the end."""
    order: list[int] = []
    waiting = list(range(len(named)))
    while ready := [each for each in waiting if set(named[each]) <= set(order)]:
        order.append(ready[0])
        waiting.remove(ready[0])
    return [*order, *waiting]
