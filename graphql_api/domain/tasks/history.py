"""The history of a task, and taking a change back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from graphql_api import clock
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import TIMED, Actor, Change, ChangeKind
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.due_days.model import DUE_ON
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.succession import NONE, Consequences, Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import BLOCKED_BY, BLOCKS, RECURRENCE, Write
from graphql_api.errors import BadUserInput, Conflict, FieldNames, NotFound
from graphql_api.infra.dynamodb import Action, codec

MAX_CHECKS = 80  # of other tasks in one transaction, which has 100 actions


class History:
    """Reads and takes back changes; the first argument is always whose they are."""

    def __init__(
        self,
        store: TaskStore,
        dependencies: DependencyStore,
        feed: Feed,
        projects: ProjectStore,
        succession: Succession,
        settings: SettingsStore,
    ) -> None:
        self._succession = succession
        self._settings = settings
        self._store = store
        self._dependencies = dependencies
        self._feed = feed
        self._projects = projects

    def fields_since(self, task: Task, version: int) -> set[str] | None:
        """The fields that were changed after a version; None if not all changes are kept."""
        names: set[str] = set()
        for change in self._feed.history(task.user_id, task.change_id):
            if change.version <= version:
                return names
            names |= set(change.fields)
        return None

    def undo(self, user_id: str, change_id: str, actor: Actor, now: datetime) -> Task:
        """Restore what a change altered, or the task that it deleted.

        Raises NotFound, BadUserInput for what cannot be taken back, and Conflict, with the
        fields, if one of them has been changed since.
        """
        change = self._feed.find(user_id, change_id)
        if change is None:
            raise NotFound("There is no such change, or it is no longer kept.", field="change_id")
        if change.undoes is not None:
            raise BadUserInput("An undo cannot be undone: undo an earlier change.", "change_id")
        if change.kind in TIMED:
            raise BadUserInput("What time has brought cannot be undone.", "change_id")
        if change.kind is ChangeKind.TASK_CREATED:
            raise BadUserInput("A creation is taken back by deleting the task.", "change_id")
        if RECURRENCE in change.fields:
            raise BadUserInput("When a task recurs is changed anew, not taken back.", "change_id")

        def attempt() -> Task:
            write, beside = self._undoing(change, actor, now)
            more = self._consequences(write, actor, now)
            self._store.write(write, *more.writes, beside=[*beside, *more.actions])
            return write.result

        return retry_on_conflict(attempt)

    def _undoing(self, change: Change, actor: Actor, now: datetime) -> tuple[Write, list[Action]]:
        """The write that takes a change back, and what has to be written with it."""
        if change.kind is ChangeKind.TASK_DELETED:
            return self._restoring(change, actor, now)
        task = self._store.get(change.user_id, change.task_id)
        self._check_unchanged(task, change)
        known = self._dependencies.get(change.user_id)
        if change.fields == (BLOCKED_BY,):
            return self._relinking(task, change, known, actor, now)
        values = codec.values(Task, change.before, [*change.fields, "completed_at"])
        zone, unmoved = self._settings.zone(task.user_id, values.get(DUE_ON))
        after = _reverted(task, values, zone, now)
        if after is task:
            raise BadUserInput("The task already is as it was before this change.", "change_id")
        beside = self._housing(task, after)
        if beside is None:
            raise Conflict("The project that the task was in is gone.", field="change_id")
        beside += unmoved
        write = writes.edit(task, after, actor, now, undoes=change.change_id)
        if task.open is not after.open:
            marked = known.mark(task.task_id, closed=not after.open)
            beside.append(self._dependencies.action(known, marked))
        return write, beside

    def _consequences(self, write: Write, actor: Actor, now: datetime) -> Consequences:
        """The consequences of taking a change back for a task that recurs."""
        before, after = write.before, write.after
        if after is None or after.series_id is None:
            return NONE
        if before is None:
            return self._succession.of_restoration(after)
        if before.open or not after.open:
            return self._succession.of_edit(write, actor, now)
        known = self._dependencies.get(after.user_id)
        return self._succession.of_reopening(after, known, actor, now)

    def _check_unchanged(self, task: Task, change: Change) -> None:
        """Raise Conflict if a field of the change has been changed since."""
        since: set[str] = set()
        for later in self._feed.history(task.user_id, task.change_id):
            if later.change_id == change.change_id:
                break
            since |= set(later.fields)
        else:
            raise Conflict("Later changes are no longer kept.", field="change_id")
        if both := since & set(change.fields):
            raise Conflict(
                "What this change altered has been changed since.",
                field="change_id",
                fields=FieldNames(sorted(both)),
            )

    def _relinking(
        self, task: Task, change: Change, known: Dependencies, actor: Actor, now: datetime
    ) -> tuple[Write, list[Action]]:
        """Give a task the blockers back that it had, as far as they are still there."""
        had = codec.texts(change.before, BLOCKED_BY)
        others = self._existing(task.user_id, had)
        gone = set(known.blockers_of(task.task_id)) - set(had)
        links = {task.task_id: [other.task_id for other in others]}
        after = _linked(known.remove(task.task_id, gone), links, [task, *others])
        write = writes.linking(task, known, actor, now, undoes=change.change_id)
        return write, [self._dependencies.action(known, after), *self._checks(others)]

    def _restoring(self, change: Change, actor: Actor, now: datetime) -> tuple[Write, list[Action]]:
        """Bring a deleted task back, with its blockers and what it blocked, if still there."""
        if self._store.get_many([(change.user_id, change.task_id)]):
            raise Conflict("The task is there again.", field="change_id")
        if change.undone_by is not None:
            raise Conflict("The task was brought back, and deleted again.", field="change_id")
        deleted = codec.decode(Task, change.before)
        again = replace(deleted, version=deleted.version + 1, updated_at=clock.milliseconds(now))
        zone, unmoved = self._settings.zone(change.user_id, again.due_on)
        again = again.located(zone)
        housing = self._housing(None, again)
        task = again if housing is not None else replace(again, project_id=None)
        blockers = self._existing(change.user_id, codec.texts(change.before, BLOCKED_BY))
        blocked = self._existing(change.user_id, codec.texts(change.before, BLOCKS))
        known = self._dependencies.get(change.user_id)
        links = {task.task_id: [other.task_id for other in blockers]}
        links |= {other.task_id: [task.task_id] for other in blocked}
        after = _linked(known, links, [task, *blockers, *blocked])
        linked = [self._dependencies.action(known, after), *self._checks([*blockers, *blocked])]
        write = writes.restoration(task, change, actor, now)
        undone = self._feed.undone(change, write.change.change_id)
        return write, [undone, *linked, *unmoved, *(housing or ())]

    def _housing(self, before: Task | None, after: Task) -> list[Action] | None:
        """The check of the project that a task comes back to; None if that is gone."""
        project_id = after.project_id
        if project_id is None or (before and before.project_id == project_id):
            return []
        key = (after.user_id, project_id)
        if key not in self._projects.get_many([key]):
            return None
        return [self._projects.presence(*key)]

    def _existing(self, user_id: str, ids: Sequence[str]) -> list[Task]:
        return list(self._store.get_many([(user_id, task_id) for task_id in ids]).values())

    def _checks(self, tasks: Sequence[Task]) -> list[Action]:
        return [self._store.unchanged_check(task) for task in tasks[:MAX_CHECKS]]


def _reverted(task: Task, values: Mapping[str, Any], zone: str | None, now: datetime) -> Task:
    """The task with the values that the fields of a change had before it."""
    completed_at = values["completed_at"]
    fields = {name: value for name, value in values.items() if name != "completed_at"}
    after = task.edit(fields, now, timezone=zone, undoing=True)
    if after.completed and not task.completed and completed_at is not None:
        return replace(after, completed_at=completed_at)
    return after


def _linked(
    known: Dependencies, links: dict[str, list[str]], tasks: Sequence[Task]
) -> Dependencies:
    """The dependencies with blockers added, by the task that they block."""
    closed = [task.task_id for task in tasks if not task.open]
    for task_id, blockers in links.items():
        if blockers:
            known = known.add(task_id, blockers, closed)
    return known
