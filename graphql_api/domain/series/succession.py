"""Consequences for a series when a task of it is closed, reopened, deleted or brought back.

They go into the transaction of the task's own write: there is no instant at which an occurrence is
done and the next one is missing, whatever crashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from graphql_api import ids
from graphql_api.domain.changes.model import Actor, ChangeKind
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import Links
from graphql_api.domain.recurrence.model import Recurrence
from graphql_api.domain.series.model import MAX_MISSED, Series, following_task, records
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import MAX_ACTIONS, TaskStore
from graphql_api.domain.tasks.writes import Write
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import Action

MAX_TAKEN_BACK = 20  # tasks of a next occurrence that go with the closing of the one before
CLOSING, REOPENING = 42, 25
"""Most actions of a transaction that closes an occurrence, or takes that back, apart from checks of
other tasks, records of what was missed, and the next occurrence that is taken back: each task has
up to 15, of which 12 are timers."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """Writes and actions that belong to a write of a task, and the next occurrence, if any."""

    writes: tuple[Write, ...] = ()
    actions: tuple[Action, ...] = ()
    next: Task | None = None
    ended: str | None = None  # the id of a series that ends by it
    revived: str | None = None  # the id of one that has ended and goes on by it
    waited_for: tuple[str, ...] = ()  # its blockers before, if some block the next one instead

    def told_by(self, write: Write, actor: Actor, now: datetime) -> Write:
        """The write of the task, which tells that its series ends or goes on, if it does."""
        if self.waited_for:
            return writes.handing_over(write, self.waited_for)
        if self.revived is not None:
            kind = ChangeKind.SERIES_UPDATED
            return writes.beside_series(write, kind, self.revived, (), actor, now)
        if self.ended is None:
            return write
        return writes.after_end_of_series(write, self.ended, actor, now)


NONE = Consequences()


class Succession:
    """Makes the next occurrence of a series, and takes it back."""

    def __init__(self, store: SeriesStore, tasks: TaskStore, settings: SettingsStore) -> None:
        self._store, self._tasks, self._settings = store, tasks, settings

    def of_edit(
        self, write: Write, links: Links, actor: Actor, now: datetime, checks: int = 0
    ) -> Consequences:
        """The consequences of closing the current occurrence; none of other edits.

        Blockers that recur block the next one, too: each by the occurrence that is current.
        `checks` are those of other tasks in the same transaction, which leave less room in it for
        occurrences that were missed.
        """
        before, after = write.before, write.after
        if before is None or after is None or after.series_id is None:
            return NONE
        if after.open or not before.open:
            return NONE
        series = self._current(before)
        if series is None:
            return NONE
        waited_for = links.now.blockers_of(before.task_id)
        taken = CLOSING + checks + len(waited_for)
        most = max(0, min(MAX_MISSED, MAX_ACTIONS - taken))
        advanced, missed = series.advance(ids.new_id(now), now, most)
        advanced = advanced.count(done=after.completed, missed=len(missed))
        kept = self._store.record_actions(series, records(after, series, missed, actor, now))
        if advanced.ended_at:
            actions = (self._store.put(series, advanced), *kept)
            return Consequences(actions=actions, ended=series.series_id)
        bound, unclosed = self._bind(advanced, before, links)
        following, unmoved = self._located(following_task(before, advanced, now), before)
        new = writes.creation(following, (), actor, now, follows=write.change.change_id)
        actions = (self._store.put(series, bound), *kept, *unclosed, *unmoved)
        if links.now.blockers_of(before.task_id) == waited_for:
            waited_for = ()
        return Consequences((new,), actions, new.result, waited_for=waited_for)

    def _bind(self, series: Series, closed: Task, links: Links) -> tuple[Series, list[Action]]:
        """Let what recurs and has blocked an occurrence block the next; check that it is open."""
        blocker_ids = links.now.blockers_of(closed.task_id)
        found = self._tasks.get_many([(closed.user_id, each) for each in blocker_ids])
        recurring = [task for task in found.values() if task.series_id]
        if not recurring:
            return series.bind(()), []
        going_on = [each for each in self._store.of_tasks(recurring) if not each.ended_at]
        current = self._tasks.get_many([(each.user_id, each.current.task_id) for each in going_on])
        binding = [task for task in current.values() if task.open]
        ids_of_binding = tuple(sorted(task.task_id for task in binding))
        gone = [task.task_id for task in recurring]
        to = series.current.task_id
        links.change(links.now.hand_over(closed.task_id, to, gone, ids_of_binding))
        return series.bind(ids_of_binding), list(map(self._tasks.unchanged_check, binding))

    def _located(self, following: Task, before: Task) -> tuple[Task, list[Action]]:
        """The next task with its due day where that of the one before lies, or where its user is.

        Who moves to another zone finds the one before unchanged, or both in the zone that it was.
        """
        if before.due_day:
            return following.located(before.due_day.timezone), []
        zone, unmoved = self._settings.zone(following.user_id, following.due_on)
        return following.located(zone), unmoved

    def beginning(self, task: Task, recurrence: Recurrence, now: datetime) -> tuple[Series, Action]:
        """The series that begins with a task, and the action that stores it."""
        series = Series.begin(task, recurrence, now)
        return series, self._store.put(None, series)

    def of_recurrence(
        self, before: Task, after: Task, recurrence: Recurrence | None, actor: Actor, now: datetime
    ) -> tuple[Write, Action] | None:
        """The writes by which a task recurs from now on, by another rule or no more.

        None if that changes nothing. Raises BadUserInput.
        """
        series, names = self._current(before), tuple[str, ...]()
        if recurrence is None:
            if series is None:
                return None
            changed, kind = series.end(now), ChangeKind.SERIES_ENDED
        elif series is None:
            changed, kind = Series.begin(after, recurrence, now), ChangeKind.SERIES_CREATED
        else:
            changed = series.restart(before, after, recurrence, now)
            kind, names = ChangeKind.SERIES_UPDATED, series.recurrence.changed(recurrence)
        if changed is series:
            return None
        series_id = changed.series_id
        after = replace(
            after.touched(now) if after is before else after,
            series_id=series_id if recurrence else None,
        )
        write = writes.recurring(before, after, actor, now)
        told = writes.beside_series(write, kind, series_id, names, actor, now)
        return told, self._store.put(series, changed)

    def change(
        self,
        user_id: str,
        series_id: str,
        recurrence: Recurrence | None,
        expected_version: int | None,
        actor: Actor,
        now: datetime,
    ) -> Series:
        """Give a series another recurrence, which holds after the current occurrence, or end it.

        Raises NotFound, BadUserInput, and Conflict if it has ended or has another version.
        """

        def attempt() -> Series:
            before = self._store.get(user_id, series_id)
            check_version("series", before.version, expected_version)
            if before.ended_at and recurrence is None:
                return before
            if before.ended_at:
                raise Conflict("The series has ended.", field="id")
            after = before.change(recurrence) if recurrence else before.end(now)
            if after is before:
                return before
            kind = ChangeKind.SERIES_UPDATED if recurrence else ChangeKind.SERIES_ENDED
            names = before.recurrence.changed(after.recurrence)
            task = self._tasks.get(user_id, before.current.task_id)
            write = writes.of_series(task, kind, series_id, names, actor, now)
            self._tasks.write(write, beside=[self._store.put(before, after)])
            return after

        return retry_on_conflict(attempt)

    def is_current(self, task: Task) -> bool:
        """Return whether a task is the current occurrence of a series."""
        return self._current(task) is not None

    def check_current(self, task: Task) -> None:
        """Raise BadUserInput unless a task is the current occurrence of a series."""
        if not self.is_current(task):
            raise BadUserInput("This task is not the current occurrence of a series.", "id")

    def of_reopening(self, task: Task, links: Links, actor: Actor, now: datetime) -> Consequences:
        """The consequences of taking a closing back: the untouched next one goes."""
        series = self._find(task)
        if series is None or series.previous is None or series.previous.task_id != task.task_id:
            return NONE
        back = series.go_back()
        keys = [f"{back.current.on.isoformat()}#{task.task_id}"]
        keys += [f"{on.isoformat()}#" for on in series.missed]
        gone: tuple[Write, ...] = ()
        if series.ended_at is None:
            following = self._tasks.get_many([(task.user_id, series.current.task_id)])
            found = next(iter(following.values()), None)
            if found is None:
                return NONE
            renewed = [found, *chain(*Placement(self._tasks).below(found))]
            if len(renewed) > MAX_TAKEN_BACK or not _are_untouched(renewed, links.now, series):
                return NONE
            deletions = (writes.deletion(each, links.now, actor, now) for each in renewed)
            gone = tuple(deletions)[::-1]
            if len([*self._tasks.transactions(gone, beside=REOPENING + len(keys))]) > 1:
                return NONE
            for each in renewed[1:]:
                links.change(links.now.without(each.task_id))
            bound = series.bound_to
            links.change(links.now.hand_over(found.task_id, task.task_id, bound, bound))
        forgotten = self._store.forget_actions(series, keys)
        revived = series.series_id if series.ended_at else None
        return Consequences(gone, (self._store.put(series, back), *forgotten), revived=revived)

    def of_deletion(self, task: Task, now: datetime) -> Consequences:
        """The consequences of a deletion: without its current occurrence, a series ends."""
        series = self._current(task) if task.open else None
        if series is None:
            return NONE
        ended = self._store.put(series, series.end(now, lost=True))
        return Consequences(actions=(ended,), ended=series.series_id)

    def of_restoration(self, task: Task) -> Consequences:
        """The consequences of bringing a deleted task back: its series goes on."""
        series = self._find(task)
        if series is None or not series.lost or series.current.task_id != task.task_id:
            return NONE
        back = self._store.put(series, series.revive())
        return Consequences(actions=(back,), revived=series.series_id)

    def _find(self, task: Task) -> Series | None:
        if task.series_id is None:
            return None
        key = (task.user_id, task.series_id)
        return self._store.get_many([key]).get(key)

    def _current(self, task: Task) -> Series | None:
        """The series of which a task is the current occurrence."""
        series = self._find(task)
        if series is None or series.ended_at or series.current.task_id != task.task_id:
            return None
        return series


def _are_untouched(tasks: Sequence[Task], dependencies: Dependencies, series: Series) -> bool:
    """Tell whether nobody has changed the tasks of an occurrence since they were created.

    They may wait for each other, as those do that they were made from.
    """
    bound = {series.current.task_id: set(series.bound_to)}
    own = {task.task_id for task in tasks}
    return all(
        task.version == 1
        and task.open
        and set(dependencies.blockers_of(task.task_id)) - own == bound.get(task.task_id, set())
        and own.issuperset(dependencies.blocked_by(task.task_id))
        for task in tasks
    )
