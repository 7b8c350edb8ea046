"""The past of tasks, as the changes since an instant tell it: how urgent they were. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from graphql_api.domain.changes.model import OF_SERIES, Change, ChangeKind
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.due_days.model import DUE_ON, DueDay
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.tasks.model import OPEN, Task
from graphql_api.domain.tasks.writes import BLOCKED_BY, BLOCKS
from graphql_api.infra.dynamodb import codec
from graphql_api.infra.dynamodb.codec import Raw

AnyTask = TypeVar("AnyTask", Task, OpenTask)

_RESTORED = {
    *("status", "priority", "tags", "due_at", DUE_ON),
    *("not_before", "planned_start", "project_id"),
}


class Past:
    """A user's tasks and dependencies before some changes, which are taken back in turn.

    A task that is created by one of them is as it was created, and has no dependencies.
    """

    def __init__(self, changes: Sequence[Change], present: Dependencies, timezone: str) -> None:
        """Take back all changes since an instant, in the order of their ids.

        Due days that were changed lay in the time zone.
        """
        self._present = present
        self._timezone = timezone
        self._blockers = dict(present.blockers)
        self._new: set[str] = set()
        self._deleted: dict[str, Raw] = {}
        self._values: dict[str, dict[str, Any]] = {}  # by task, then by field
        for change in reversed(changes):
            self._take_back(change)

    def _take_back(self, change: Change) -> None:
        task_id, before = change.task_id, change.before
        if change.kind is ChangeKind.TASK_CREATED:
            self._new.add(task_id)
        elif change.kind is ChangeKind.TASK_DELETED:
            self._new.discard(task_id)
            self._deleted[task_id] = before
            self._values[task_id] = codec.values(Task, before, _RESTORED)
            self._blockers[task_id] = codec.texts(before, BLOCKED_BY)
            for other in codec.texts(before, BLOCKS):
                had = self._blockers.get(other, ())
                self._blockers[other] = tuple(dict.fromkeys((*had, task_id)))
        elif change.kind not in OF_SERIES:
            if BLOCKED_BY in change.fields or BLOCKED_BY in before:
                self._blockers[task_id] = codec.texts(before, BLOCKED_BY)
            names = _RESTORED.intersection(change.fields)
            if names:
                values = codec.values(Task, before, names)
                self._values.setdefault(task_id, {}).update(values)

    def state(self, task: AnyTask) -> AnyTask:
        """A task as it was."""
        values = self._values.get(task.task_id)
        if not values:
            return task
        changed = {name: value for name, value in values.items() if name != DUE_ON}
        if DUE_ON in values:
            day = values[DUE_ON]
            changed["due_day"] = DueDay.of(day, self._timezone) if day else None
        return replace(task, **changed)

    def deleted(self, task_id: str) -> Task | None:
        """A task as it was that has been deleted."""
        whole = self._deleted.get(task_id)
        return None if whole is None else self.state(codec.decode(Task, whole))

    def is_changed(self, task_id: str) -> bool:
        """Return whether a task was otherwise, or has been deleted."""
        return task_id in self._values

    def dependencies(self, open_ids: Collection[str]) -> Dependencies:
        """The dependencies as they were; `open_ids` are the tasks that are open now."""
        blockers = {
            task_id: left
            for task_id, ids in self._blockers.items()
            if task_id not in self._new
            and (left := tuple(each for each in ids if each not in self._new))
        }
        known = _mentioned(self._present)
        there = known.difference(self._present.closed).union(open_ids)
        then = replace(self._present, blockers=blockers)
        closed = (each for each in _mentioned(then) if not self._was_open(each, there))
        return replace(then, closed=tuple(sorted(closed)))

    def _was_open(self, task_id: str, there: Collection[str]) -> bool:
        """Return whether a task was open; `there` are those that are."""
        values = self._values.get(task_id, {})
        return values["status"] in OPEN if "status" in values else task_id in there


def _mentioned(dependencies: Dependencies) -> set[str]:
    """The ids of all tasks that block or are blocked."""
    others: Iterable[tuple[str, ...]] = dependencies.blockers.values()
    return set(dependencies.blockers).union(*others)
