"""Changes tasks: their fields, their status, when they recur, their tags."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from graphql_api import ids
from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict, version_conflict
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import Links
from graphql_api.domain.due_days.model import DUE_ON, with_one_due
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.subtasks.model import INHERITED, PARENT_ID, ChildFate, check_size
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.receipts import Made, Receipt
from graphql_api.domain.tasks.service.base import STATUS, TaskWrites, blocked, comes_with_parent
from graphql_api.errors import (
    FIELD,
    ID,
    VALUES,
    BadUserInput,
    Conflict,
    FieldNames,
    NotFound,
    named,
)
from graphql_api.infra.dynamodb import Action


class Edits(TaskWrites):
    """Changes tasks, with all that follows from it."""

    def complete(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Complete the open task of `id`, and make the next one if it recurs.

        `children` are what becomes of open tasks below it. Raises NotFound, and Conflict if it is
        closed, or else as `update` does.
        """
        given, receipt = _received(user_id, "complete", changes, now)
        fields = {**given, STATUS: TaskStatus.COMPLETED}
        children = fields.pop("children", None)
        below: Sequence[str] = ()
        with _told_of_id():
            if children is ChildFate.COMPLETE:
                below = self._complete_below(user_id, fields, receipt, actor, now)
                # A rehearsal has found that they can be completed, and leaves them open.
                fields["force"] = self._store.rehearses or fields.get("force")
            keeps, check = children is ChildFate.KEEP, self._check_open
            return self._update(
                user_id, fields, receipt, actor, now, check, keeps_children=keeps, below=below
            )

    def _complete_below(
        self,
        user_id: str,
        given: Mapping[str, Any],
        receipt: Receipt | None,
        actor: Actor,
        now: datetime,
    ) -> Sequence[str]:
        """Complete the open tasks below one, the lowest first, and return the ids of the changes.

        Also of those that an attempt before has made, or a request of the same key that was
        interrupted. Raises as `complete` does.
        """
        request = receipt.key if receipt else ids.new_id(now)

        def attempt() -> Sequence[str]:
            task = self._store.get(user_id, given["id"])
            check_version("task", task.version, given.get("expected_version"))
            self._check_open(task)
            below = self._placement.below(task)
            check_size(below, "completed")
            found = [each for level in reversed(below) for each in level]
            left = [each for each in found if each.open]
            known = self._dependencies.get(user_id)
            if not given.get("force"):
                self._check_released([*left, task], known)
            closed = [each for each in found if not each.open]
            done = self.history.completed_by(user_id, request, closed)
            edits = [writes.completion_below(each, actor, now, request) for each in left]
            self._write_all(edits, known, lambda at, task_id: at.mark(task_id, closed=True))
            return [*done, *(each.change.change_id for each in edits)]

        receipts = self._store.receipts
        return retry_on_conflict(lambda: receipts.once(receipt, attempt, lambda _: ()))

    def _check_released(self, tasks: Sequence[Task], known: Dependencies) -> None:
        """Raise Conflict if others than these tasks block one of them."""
        own = {each.task_id for each in tasks}
        blockers = {other for task_id in own for other in known.open_blockers(task_id)}
        if others := blockers - own:
            raise blocked(self._store.shown(tasks[0].user_id, sorted(others)))

    def skip(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Cancel the current occurrence of a series, and make the next one.

        Raises NotFound, BadUserInput if the task is none, and Conflict.
        """
        given, receipt = _received(user_id, "skip", changes, now)
        fields = {**given, STATUS: TaskStatus.CANCELLED}
        return self._update(user_id, fields, receipt, actor, now, self.succession.check_current)

    def _check_open(self, task: Task) -> None:
        if not task.open:
            raise Conflict(f"This task is {task.status.value} already.", field="id")

    def update(
        self, user_id: str, changes: Mapping[str, Any], actor: Actor, now: datetime
    ) -> "Update":
        """Change the task of `id`, if it still has the `expected_version` or none is given.

        With `merge_disjoint`, a later version will do if none of the fields has been changed
        since. Raises NotFound, BadUserInput, and Conflict if the task has another version or,
        unless the changes `force` it, if it is completed while it has open blockers. With an
        `idempotency_key`, all requests of that key make one change.
        """
        given, receipt = _received(user_id, "update", changes, now)
        return self._update(user_id, given, receipt, actor, now, lambda _: None)

    def _update(
        self,
        user_id: str,
        changes: Mapping[str, Any],
        receipt: Receipt | None,
        actor: Actor,
        now: datetime,
        check: Callable[[Task], None],
        *,
        keeps_children: bool = False,
        below: Sequence[str] = (),
    ) -> "Update":
        fields, receipts = dict(changes), self._store.receipts
        task_id, expected_version = fields.pop("id"), fields.pop("expected_version", None)
        recurs, recurrence = "recurrence" in fields, fields.pop("recurrence", None)
        force, merge = bool(fields.pop("force", None)), bool(fields.pop("merge_disjoint", None))
        add, remove = fields.pop("add_tags", None) or (), fields.pop("remove_tags", None) or ()
        if "tags" in fields and (add or remove):
            others = f"{named('add_tags')} and {named('remove_tags')}"
            raise BadUserInput(f"{FIELD} goes without {others}.", "tags")

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
            if after.schedule != before.schedule:
                self._settings.check_schedule(user_id, after.schedule)
            made = Made(task_id, merged=merged)
            if recurs:
                beside = [*receipts.beside(receipt, made), *unmoved]
                after = self._recur(before, after, recurrence, beside, actor, now)
            if after is before:
                receipts.keep(receipt, made)
            if recurs or after is before:
                return Update(after, merged=merged)
            write = writes.edit(before, after, actor, now, below=below)
            links = self._dependencies.links(user_id)
            tying = self._retying(before, after, links, force=force, keeps_children=keeps_children)
            checks = len(tying) + (receipt is not None)
            more = self.succession.of_edit(write, links, actor, now, checks)
            write = more.told_by(write, actor, now)
            renewing = self._renewals.begin(before, more.next, now)
            made = replace(made, next_id=more.next.task_id if more.next else None)
            beside = [*tying, *links.actions(), *unmoved, *more.actions, *renewing]
            beside += receipts.beside(receipt, made)
            self._write(write, beside, more.writes)
            return Update(write.result, merged=merged, next=more.next)

        again = partial(self._made, user_id)
        update = retry_on_conflict(lambda: receipts.once(receipt, attempt, again))
        if update.next is None or update.repeated:
            return update
        renewed = self._renewals.complete(update.task, update.next, actor, now)
        return replace(update, next=renewed)

    def _made(self, user_id: str, made: Made) -> "Update":
        """The update of an earlier request, as it is now. Raises NotFound if the task is gone."""
        task = self._store.get(user_id, made.task_id)
        key = (user_id, made.next_id or "")
        following = self._store.get_many([key]).get(key) if made.next_id else None
        return Update(task, merged=made.merged, next=following, repeated=True)

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
            raise comes_with_parent(PARENT_ID)
        return self._placement.actions(before, after, links)

    def _closing(self, before: Task, after: Task, links: Links, *, force: bool) -> None:
        """Mark a task as closed or reopened. Raises Conflict for open blockers, unless forced."""
        if before.status is after.status or (before.open and after.open):
            return
        blockers = links.before.open_blockers(after.task_id)
        if after.completed and blockers and not force:
            raise blocked(self._store.shown(after.user_id, blockers))
        links.change(links.before.mark(after.task_id, closed=not after.open))

    def _check_children(self, task: Task) -> None:
        """Raise Conflict with the subtasks that are open, if any.

        One that is reopened at the same time might as well be reopened afterwards.
        """
        subtasks = self._store.get_many([(task.user_id, each) for each in task.child_ids])
        if unfinished := [each.task_id for each in subtasks.values() if each.open]:
            raise Conflict(
                f"This task has open subtasks: complete it with children ({VALUES}), or with"
                " force.",
                field=STATUS,
                values=[fate.name for fate in ChildFate],
                subtasks=sorted(unfinished),
            )

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
            raise comes_with_parent("recurrence")
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
            with suppress(NotFound):  # deleted meanwhile
                changed += retry_on_conflict(partial(attempt, task.task_id))
        return changed


@dataclass(frozen=True, slots=True)
class Update:
    """A task after an update, and whether that was merged with changes made since."""

    task: Task
    merged: bool
    next: Task | None = None  # the occurrence that has become current, if one was closed
    repeated: bool = False  # an earlier request of the same key has made it


@contextmanager
def _told_of_id() -> Iterator[None]:
    """Let a refused status be told of the task's id: the request has no status."""
    try:
        yield
    except Conflict as error:
        error.path = (ID,) if error.field == STATUS else error.path
        raise


def _received(
    user_id: str, operation: str, changes: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], Receipt | None]:
    """The changes without their idempotency key, and what it is used for."""
    fields = dict(changes)
    key = fields.pop("idempotency_key", None)
    return fields, Receipt.of_request(user_id, key, operation, fields, now)
