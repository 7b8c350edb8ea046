"""Parts that all writes of tasks share."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.succession import Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.subtasks.renewal import Renewals
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import Write
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import Action, ConditionFailed

T = TypeVar("T")

STATUS = "status"


class TaskWrites:
    """The stores that writes of tasks need, and how a write is carried out."""

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


def comes_with_parent(field: str) -> BadUserInput:
    """Return the error of a subtask that is to recur by itself."""
    return BadUserInput("A subtask comes again with its parent only, not by itself.", field)


def blocked(blocker_ids: Iterable[str]) -> Conflict:
    """Return the error of completing a task that open ones block."""
    return Conflict(
        "This task is blocked by open tasks: complete them first, or this one with force.",
        field=STATUS,
        blockers=list(blocker_ids),
    )
