"""Deletes projects whose tasks have to be moved or deleted first, whatever crashes.

The request that deletes a project hides it, and stores a durable job in the same transaction. It
then works for a moment, which is enough for most projects; else the dispatcher goes on. Each task
is written as its user would do it, on the condition that it is as it was read: so what a user has
done meanwhile stays, and a pass that is repeated finds only what is left.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from graphql_api.domain.jobs import Job, Jobs
from graphql_api.domain.projects.model import Project, ProjectDeletion, TaskFate
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import Conflict, NotFound, ServiceUnavailable
from graphql_api.infra.dynamodb import Put

REQUEST_SECONDS = 2.0  # of a request's work …
HEAD_START = timedelta(seconds=15)  # … after which no other request or process is still at it
RUN_SECONDS = 5.0  # of a dispatcher's, so that other duties have their turn


class ProjectDeletions:
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
        """`interval` are the seconds between two looks of the duty."""
        self._store, self._jobs, self._now = store, jobs, now
        self._tasks, self._task_store = tasks, task_store
        self._interval = interval
        self._is_stopped = False

    def begin(self, project: Project, now: datetime) -> Put:
        """Schedule the deletion; return the write that makes it durable."""
        return self._jobs.addition(_job_id(project), now + HEAD_START)

    def work_briefly(self, project: Project) -> bool:
        """Do in a request what a moment is enough for; return whether that was all."""
        try:
            return self._work(project, REQUEST_SECONDS)
        except ServiceUnavailable:  # what has begun goes on by itself
            return False

    def run(self, now: datetime) -> float:
        """Go on with what requests have left; return the seconds until the next look."""
        is_done = True
        for job in self._jobs.pending():
            if job.seconds_left(now) == 0 and self._jobs.claim(job, now):
                is_done &= self._resume(job, now)
        return self._interval if is_done else 0

    def stop(self, _: float) -> None:
        """End the work after the present task: another process goes on with it."""
        self._is_stopped = True

    def _resume(self, job: Job, now: datetime) -> bool:
        """Work at a job that was claimed; return whether it is completed."""
        user_id, _, project_id = job.item.partition("#")
        project = self._store.find(user_id, project_id)
        if project is None or project.deletion is None:  # the account is gone, for example
            self._jobs.complete(job.item)
            return True
        if self._work(project, RUN_SECONDS):
            return True
        self._jobs.release(job, now)
        return False

    def _work(self, project: Project, seconds: float) -> bool:
        """Move or delete tasks for some seconds; if none is left, the project goes."""
        end, is_settled = time.monotonic() + seconds, False
        while not is_settled:
            is_settled = True  # once a whole pass has found none: those that recur bring others
            for tasks in self._task_store.in_project(project.user_id, project.project_id):
                for task in tasks:
                    if self._is_stopped or time.monotonic() > end:
                        return False
                    is_settled = False
                    self._settle(task, project.deletion)
        self._store.remove(project)
        self._jobs.complete(_job_id(project))
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
