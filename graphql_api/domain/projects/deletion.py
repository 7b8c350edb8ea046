"""Deletes projects whose tasks have to be moved or deleted first, whatever crashes.

The request that deletes a project hides it, and stores a durable job in the same transaction. It
then works for a moment, which is enough for most projects; else the dispatcher goes on. Each task
is written as its user would do it, on the condition that it is as it was read: so what a user has
done meanwhile stays, and a pass that is repeated finds only what is left.
"""

import time
from collections.abc import Callable
from datetime import datetime

from graphql_api.domain.jobs import JobDuty, Jobs
from graphql_api.domain.projects.model import Project, ProjectDeletion, TaskFate
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import Conflict, NotFound
from graphql_api.infra.dynamodb import Put


class ProjectDeletions(JobDuty):
    """Deletes projects, in requests and as a duty of the dispatcher."""

    def __init__(
        self,
        store: ProjectStore,
        jobs: Jobs,
        tasks: Tasks,
        task_store: TaskStore,
        now: Callable[[], datetime],
        interval: float = 5.0,
    ) -> None:
        super().__init__(jobs, now, interval)
        self._store, self._tasks, self._task_store = store, tasks, task_store

    def begin(self, project: Project, now: datetime) -> Put:
        """Schedule the deletion; return the write that makes it durable."""
        return self.schedule(_job_id(project), now)

    def finish(self, project: Project) -> bool:
        """Do in a request what a moment is enough for; return whether that was all."""
        return self.work_briefly(_job_id(project))

    def work(self, job_id: str, seconds: float) -> bool:
        """Move or delete the tasks of a project, and then the project, for some seconds."""
        user_id, _, project_id = job_id.partition("#")
        project = self._store.find(user_id, project_id)
        if project is None or project.deletion is None:  # the account is gone, for example
            return True
        return self._work(project, time.monotonic() + seconds)

    def _work(self, project: Project, end: float) -> bool:
        """Move or delete tasks until an instant; if none is left, the project goes."""
        is_settled = False
        while not is_settled:
            is_settled = True  # once a whole pass has found none: those that recur bring others
            for tasks in self._task_store.in_project(project.user_id, project.project_id):
                for task in tasks:
                    if self._is_over(end):
                        return False
                    is_settled = False
                    self._settle(task, project.deletion)
        self._store.remove(project)
        return True

    def _settle(self, task: Task, deletion: ProjectDeletion | None) -> None:
        """Take a task out of its project, unless somebody else has changed it meanwhile."""
        assert deletion is not None  # noqa: S101  # nosec B101 - who works at one has read it
        try:
            if deletion.tasks is TaskFate.DELETE:
                key = (task.user_id, task.task_id)
                self._tasks.delete(*key, deletion.actor, self._now(), task.version)
            else:
                self._move(task, deletion)
        except (NotFound, Conflict):  # the next pass looks whether it is still there
            return

    def _move(self, task: Task, deletion: ProjectDeletion) -> None:
        """Put a task into the project that takes it; into none if that one is gone, too."""
        change = {"id": task.task_id, "expected_version": task.version}
        to = {"project_id": deletion.move_to}
        try:
            self._tasks.update(task.user_id, change | to, deletion.actor, self._now())
        except NotFound as error:
            if error.field != "project_id":
                raise
            to = {"project_id": None}
            self._tasks.update(task.user_id, change | to, deletion.actor, self._now())


def _job_id(project: Project) -> str:
    return f"{project.user_id}#{project.project_id}"
