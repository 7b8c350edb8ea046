"""The history of a task, and taking a change back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import OF_SERIES, TIMED, Actor, Change, ChangeKind
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.dependencies.store import DependencyStore, Links
from graphql_api.domain.due_days.model import DUE_ON
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.succession import NONE, Consequences, Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.receipts import Made, Receipt
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import BELOW, BLOCKED_BY, BLOCKS, RECURRENCE, REQUEST, Write
from graphql_api.errors import BadUserInput, Conflict, FieldNames, NotFound
from graphql_api.infra.dynamodb import Action, codec

MAX_CHECKS = 75  # of other tasks in one transaction, which has 100 actions
MAX_OWN = 50  # actions of a task itself that is taken back with tasks below it


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
        self._placement = Placement(store)

    def fields_since(self, task: Task, version: int) -> set[str] | None:
        """The fields that were changed after a version; None if not all changes are kept."""
        names: set[str] = set()
        for change in self._feed.history(task.user_id, task.change_id):
            if change.version <= version:
                return names
            names |= set(change.fields)
        return None

    def completed_by(self, user_id: str, request: str, tasks: Sequence[Task]) -> list[str]:
        """The changes, each the last of its task, by which a request completed it for another."""
        last = [each.change_id for each in tasks if each.change_id]
        found = self._feed.find_many_for_checks(user_id, last)
        return [
            change_id
            for change_id, each in found.items()
            if request in codec.texts(each.before, REQUEST)
        ]

    def undo(
        self,
        user_id: str,
        change_id: str,
        actor: Actor,
        now: datetime,
        *,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Restore what a change altered, or the task that it deleted; with a key, once.

        Raises NotFound, BadUserInput for what cannot be taken back, and Conflict, with the
        fields, if one of them has been changed since, or for another version than expected: of a
        task that was deleted, its last one.
        """
        given = {"change_id": change_id, "expected_version": expected_version}
        receipt = Receipt.of_request(user_id, idempotency_key, "undo", given, now)
        change = self._feed.find(user_id, change_id)
        if change is None:
            raise NotFound("There is no such change, or it is no longer kept.", field="change_id")
        if change.undoes is not None:
            raise BadUserInput("An undo cannot be undone: undo an earlier change.", "change_id")
        if change.kind in TIMED:
            raise BadUserInput("What time has brought cannot be undone.", "change_id")
        if change.kind is ChangeKind.TASK_CREATED:
            raise BadUserInput("A creation is taken back by deleting the task.", "change_id")
        if RECURRENCE in change.fields or change.kind in OF_SERIES:
            raise BadUserInput("When a task recurs is changed anew, not taken back.", "change_id")

        def attempt(below: Sequence[Write] | None = None) -> Task:
            links = self._dependencies.links(user_id)
            write, beside = self._undoing(change, expected_version, links, actor, now)
            if below is None:
                below = self._reopening(change, actor, now)
            more = self._consequences(write, links, actor, now)
            left = self._reopen_first(below, alone=bool(more.writes))
            if len(left) < len(below):  # the links may be others by now
                return attempt(left)
            write = more.told_by(write, actor, now)
            _mark_open(below, links)
            beside += [*links.actions(), *more.actions]
            beside += receipts.beside(receipt, Made(change.task_id))
            self._store.write(write, *more.writes, *below, beside=beside)
            return write.result

        receipts = self._store.receipts
        again = partial(self._restored, user_id)
        return retry_on_conflict(lambda: receipts.once(receipt, attempt, again))

    def _restored(self, user_id: str, made: Made) -> Task:
        """The task that a request has restored before, as it is now. Raises NotFound."""
        return self._store.get(user_id, made.task_id, "change_id")

    def _undoing(
        self, change: Change, version: int | None, links: Links, actor: Actor, now: datetime
    ) -> tuple[Write, list[Action]]:
        """The write that takes a change back, and what has to be written with it."""
        if change.kind is ChangeKind.TASK_DELETED:
            check_version("task", change.version, version)
            return self._restoring(change, links, actor, now)
        task = self._store.get(change.user_id, change.task_id, "change_id")
        check_version("task", task.version, version)
        self._check_unchanged(task, change)
        if change.fields == (BLOCKED_BY,):
            return self._relinking(task, change, links, actor, now)
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
            links.change(links.before.mark(task.task_id, closed=not after.open))
        return write, [*beside, *self._placing_back(task, after, links)]

    def _placing_back(self, task: Task, after: Task, links: Links) -> list[Action]:
        """The actions by which a task comes back to where it lay. Raises Conflict."""
        try:
            return self._placement.actions(task, after, links)
        except (NotFound, BadUserInput):
            raise Conflict(
                "The task cannot lie where it did: its parent is gone, has too many subtasks, or"
                " lies too deep.",
                field="change_id",
            ) from None

    def _consequences(
        self, write: Write, links: Links, actor: Actor, now: datetime
    ) -> Consequences:
        """The consequences of taking a change back for a task that recurs."""
        before, after = write.before, write.after
        if after is None or after.series_id is None:
            return NONE
        if before is None:
            return self._succession.of_restoration(after)
        if before.open or not after.open:
            return self._succession.of_edit(write, links, actor, now)
        return self._succession.of_reopening(after, links, actor, now)

    def _reopening(self, change: Change, actor: Actor, now: datetime) -> list[Write]:
        """The writes that take back what was completed below a task with it, so far as is left.

        What was deleted since is left out. Raises Forbidden if some are hidden, and Conflict, with
        their ids, if the status of some has been changed since.
        """
        ids = codec.texts(change.before, BELOW)
        if change.kind is ChangeKind.TASK_DELETED or not ids:
            return []
        closings = self._feed.find_many_for_checks(change.user_id, ids)
        if len(closings) < len(ids):
            raise Conflict("Changes of its subtasks are no longer kept.", field="change_id")
        tasks = self._store.get_family([(each.user_id, each.task_id) for each in closings.values()])
        closed = [
            (task, closing)
            for closing in closings.values()
            if (task := tasks.get((closing.user_id, closing.task_id)))
        ]
        later = self._latest_since(change.user_id, closed)
        if changed := [each for each, last in later.items() if last.undoes not in closings]:
            raise Conflict(
                "Subtasks that were completed with this task have been changed since.",
                field="change_id",
                changed_task_ids=sorted(changed),
            )
        return [
            _reopened(task, closing, actor, now)
            for task, closing in closed
            if task.task_id not in later
        ]

    def _reopen_first(self, below: Sequence[Write], *, alone: bool) -> Sequence[Write]:
        """Carry out writes that do not fit into the transaction of the task itself.

        Returns the others; what a crash has interrupted can be repeated. A rehearsal has one
        transaction of any size.
        """
        if self._store.rehearses:
            return below
        groups = list(self._store.transactions(below, beside=MAX_OWN))
        last = [] if alone or not groups else groups.pop()
        for group in groups:
            links = self._dependencies.links(group[0].change.user_id)
            _mark_open(group, links)
            self._store.write(*group, beside=links.actions())
        return last

    def _latest_since(
        self, user_id: str, changed: Sequence[tuple[Task, Change]]
    ) -> dict[str, Change]:
        """By task, the latest change since a given one that alters what that one has altered.

        All tasks' changes are read at once, step by step. Raises Conflict if some are gone.
        """
        found = dict[str, Change]()
        left = [(task.change_id or "", change) for task, change in changed]
        while left := [(at, change) for at, change in left if at != change.change_id]:
            read = self._feed.find_many_for_checks(user_id, [at for at, _ in left])
            if len(read) < len(left):
                raise Conflict("Later changes are no longer kept.", field="change_id")
            later = [(read[at], change) for at, change in left]
            found |= {
                each.task_id: each
                for each, change in later
                if not set(each.fields).isdisjoint(change.fields)
            }
            left = [
                (each.previous or "", change) for each, change in later if each.task_id not in found
            ]
        return found

    def _since(self, task: Task, change: Change) -> list[Change]:
        """The changes of a task since this one, newest first. Raises Conflict if some are gone."""
        since = list[Change]()
        for later in self._feed.history(task.user_id, task.change_id):
            if later.change_id == change.change_id:
                return since
            since.append(later)
        raise Conflict("Later changes are no longer kept.", field="change_id")

    def _check_unchanged(self, task: Task, change: Change) -> None:
        """Raise Conflict if a field of the change has been changed since."""
        since = {name for later in self._since(task, change) for name in later.fields}
        if both := since & set(change.fields):
            raise Conflict(
                "What this change altered has been changed since.",
                field="change_id",
                fields=FieldNames(sorted(both)),
            )

    def _relinking(
        self, task: Task, change: Change, links: Links, actor: Actor, now: datetime
    ) -> tuple[Write, list[Action]]:
        """Give a task the blockers back that it had, as far as they are still there."""
        had = codec.texts(change.before, BLOCKED_BY)
        others = self._existing(task.user_id, had)
        known = links.before
        gone = set(known.blockers_of(task.task_id)) - set(had)
        links.change(known.remove(task.task_id, gone))
        self._link({task.task_id: [other.task_id for other in others]}, [task, *others], links)
        write = writes.linking(task, known, actor, now, undoes=change.change_id)
        return write, [*self._checks(others)]

    def _restoring(
        self, change: Change, links: Links, actor: Actor, now: datetime
    ) -> tuple[Write, list[Action]]:
        """Bring a deleted task back, with its blockers and what it blocked, if still there.

        The tasks below it come before it, so that what a crash has interrupted can be repeated.
        """
        if self._store.get_many([(change.user_id, change.task_id)]):
            raise Conflict("The task is there again.", field="change_id")
        if change.undone_by is not None:
            raise Conflict("The task was brought back, and deleted again.", field="change_id")
        ids = codec.texts(change.before, BELOW)
        below = list(self._feed.find_many_for_checks(change.user_id, ids).values())
        self._store.check_family(below)
        there = self._restore_below(below, actor, now)
        task = _listing(_deleted(change, now), there)
        zone, unmoved = self._settings.zone(task.user_id, task.due_on)
        task = task.located(zone)
        others = self._relink([change, *below], task, links)
        task, placing = self._placed(task, links)
        housing = self._housing(None, task)
        task = task if housing is not None else replace(task, project_id=None)
        write = writes.restoration(task, change, actor, now)
        undone = self._feed.undone(change, write.change.change_id)
        beside = [undone, *unmoved, *(housing or ())]
        return write, [*beside, *placing, *self._checks(others)]

    def _placed(self, task: Task, links: Links) -> tuple[Task, list[Action]]:
        """A task that comes back below its parent, if it still can, and what is written for it."""
        try:
            return task, self._placement.actions(None, task, links)
        except (NotFound, BadUserInput, Conflict):
            return replace(task, parent_id=None), []

    def _restore_below(self, below: Sequence[Change], actor: Actor, now: datetime) -> list[Task]:
        """Bring back the tasks below a deleted one that are still missing; return all of them."""
        keys = [(each.user_id, each.task_id) for each in below]
        there = self._store.get_many(keys)
        missing = {key: each for key, each in zip(keys, below, strict=True) if key not in there}
        tasks = [*there.values(), *(_deleted(each, now) for each in missing.values())]
        back: dict[str | None, list[Write]] = {}  # by project
        zone, unmoved = self._zone_of(tasks)
        for task in self._housed(tasks):
            change = missing.get((task.user_id, task.task_id))
            if change is not None:
                located = _listing(task, tasks).located(zone)
                write = writes.restoration(located, change, actor, now)
                back.setdefault(task.project_id, []).append(write)
        for project_id, some in back.items():
            presence = self._projects.presence
            housing = [presence(below[0].user_id, project_id)] if project_id else []
            for group in self._store.transactions(some, beside=len(unmoved) + 1):
                self._store.write(*group, beside=[*unmoved, *housing])
        return tasks

    def _zone_of(self, tasks: Sequence[Task]) -> tuple[str | None, list[Action]]:
        """The zone of the user of these tasks, if one is due on a day, and the check of it."""
        day = next((each.due_on for each in tasks if each.due_on), None)
        return self._settings.zone(tasks[0].user_id, day) if tasks else (None, [])

    def _housed(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks without projects that are gone."""
        projects = {(each.user_id, each.project_id) for each in tasks if each.project_id}
        known = self._projects.get_many([*projects])
        return [
            each if (each.user_id, each.project_id) in known else replace(each, project_id=None)
            for each in tasks
        ]

    def _relink(self, changes: Sequence[Change], root: Task, links: Links) -> list[Task]:
        """Let deleted tasks block and be blocked as they were; return the others among these."""
        linked: dict[str, list[str]] = {}
        for change in changes:
            for blocker in codec.texts(change.before, BLOCKED_BY):
                linked.setdefault(change.task_id, []).append(blocker)
            for blocked in codec.texts(change.before, BLOCKS):
                linked.setdefault(blocked, []).append(change.task_id)
        mentioned = dict.fromkeys([*linked, *(each for ids in linked.values() for each in ids)])
        mentioned.pop(root.task_id, None)
        found = self._existing(root.user_id, [*mentioned])
        there = {root.task_id, *(each.task_id for each in found)}
        known = {
            task_id: [each for each in dict.fromkeys(ids) if each in there]
            for task_id, ids in linked.items()
            if task_id in there
        }
        self._link(known, [root, *found], links)
        restored = {change.task_id for change in changes}
        return [each for each in found if each.task_id not in restored]

    def _link(self, linked: dict[str, list[str]], tasks: Sequence[Task], links: Links) -> None:
        """Add blockers, by the task that they block; `tasks` are all of them."""
        closed = [task.task_id for task in tasks if not task.open]
        children = self._placement.children_of(tasks[0].user_id, tasks, links) if linked else {}
        after = links.now
        with self._store.hiding_cycles(tasks[0].user_id):
            for task_id, blockers in linked.items():
                if blockers:
                    after = after.add(task_id, blockers, closed, children=children)
        links.change(after)

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


def _mark_open(reopened: Sequence[Write], links: Links) -> None:
    """Let tasks that are open again block those that wait for them."""
    for write in reopened:
        links.change(links.now.mark(write.change.task_id, closed=not write.result.open))


def _reopened(task: Task, closing: Change, actor: Actor, now: datetime) -> Write:
    """The write that takes back the change by which a task was completed below another one."""
    values = codec.values(Task, closing.before, [*closing.fields, "completed_at"])
    after = _reverted(task, values, None, now)
    return writes.edit(task, after, actor, now, undoes=closing.change_id)


def _reverted(task: Task, values: Mapping[str, Any], zone: str | None, now: datetime) -> Task:
    """The task with the values that the fields of a change had before it.

    Work that its timer had counted when the change of its status stopped it was done all the same.
    """
    completed_at = values["completed_at"]
    kept = ("completed_at", "spent_minutes") if "status" in values else ("completed_at",)
    fields = {name: value for name, value in values.items() if name not in kept}
    after = task.edit(fields, now, timezone=zone, undoing=True)
    if after.completed and not task.completed and completed_at is not None:
        return replace(after, completed_at=completed_at)
    return after


def _deleted(change: Change, now: datetime) -> Task:
    """The task that a change has deleted, as its next version."""
    deleted = codec.decode(Task, change.before)
    return replace(deleted.touched(now), running_since=None)


def _listing(task: Task, below: Sequence[Task]) -> Task:
    """A task that comes back with those of its subtasks that have not come back elsewhere."""
    own = {each.task_id for each in below if each.parent_id == task.task_id}
    return replace(task, child_ids=tuple(each for each in task.child_ids if each in own))
