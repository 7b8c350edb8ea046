"""Makes the items of open tasks what the tasks say, in a deployment with data of earlier releases.

Processes of release 0.1.0 write tasks without their items: run it once none of them runs any
more. Requests go on meanwhile. Each item is written on the condition that its task is as it was
read, so that nothing is lost that somebody writes at the same time; what a run has not done, the
next one does. Lists use the items once a run has come to its end.
"""

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from itertools import islice

from graphql_api.domain.blocks.closed import ClosedBlocks
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.open_tasks.store import OpenKey, OpenTaskStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import AppError
from graphql_api.infra.dynamodb import ConditionFailed, Database

PAGE = 1_000  # items of a table that are read at a time
TOGETHER = 33  # tasks in a transaction, each with its check and two items at most

log = logging.getLogger(__name__)


class OpenTaskUpgrade:
    """Adds the items that are missing, and deletes those of tasks that are open no more."""

    def __init__(self, database: Database, tasks: TaskStore) -> None:
        self._database = database
        self._tasks, self._store = tasks, OpenTaskStore(database)
        self._closed_blocks = ClosedBlocks(database)

    @classmethod
    def of(cls, database: Database) -> "OpenTaskUpgrade":
        """Build it on a database; it writes no task, and so no change."""
        return cls(database, TaskStore(database, ChangeStore(database, timedelta())))

    @property
    def is_needed(self) -> bool:
        """Return whether lists do without the items until it has run."""
        return not self._store.is_noted()

    def complete(self) -> None:
        """Run if that is needed, in a deployment of which this is the only process.

        If it fails, the service starts all the same: lists do without the items.
        """
        try:
            if self.is_needed:
                deque(self.run(), maxlen=0)
        except AppError:
            log.exception("The items of open tasks could not be completed")

    def run(self) -> Iterator[int]:
        """Yield, until all is done, how many items of the two tables have been read more."""
        yield from self._add()
        yield from self._clean()
        self._store.note_complete()

    def _add(self) -> Iterator[int]:
        """Go through all tasks."""
        for tasks, scanned in self._tasks.scan(PAGE):
            by_key = {(task.user_id, task.task_id): task for task in tasks}
            self._settle(by_key, self._store.get_many([k for k in by_key if by_key[k].open]))
            yield scanned

    def _clean(self) -> Iterator[int]:
        """Go through all items: of tasks that were closed or deleted, no other pass knows."""
        for found, scanned in self._store.scan(PAGE):
            tasks = self._tasks.get_many(list(found))
            self._settle({key: tasks.get(key) for key in found}, found)
            yield scanned

    def _settle(
        self, tasks: Mapping[OpenKey, Task | None], found: Mapping[OpenKey, OpenTask]
    ) -> None:
        """Write the items that are not what their tasks say, some at a time."""
        wrong = iter([key for key in tasks if self._is_wrong(tasks[key], found.get(key))])
        while some := list(islice(wrong, TOGETHER)):
            try:
                self._write({key: tasks[key] for key in some})
            except ConditionFailed:  # somebody has written one of these tasks meanwhile
                for key in some:
                    retry_on_conflict(partial(self._settle_again, key))

    def _is_wrong(self, task: Task | None, found: OpenTask | None) -> bool:
        """Return whether a task has another item; those of closed ones' blocks are not known."""
        return OpenTask.if_open(task) != found or bool(self._closed_blocks.following(None, task))

    def _settle_again(self, key: OpenKey) -> None:
        self._write({key: self._tasks.get_many([key]).get(key)})

    def _write(self, tasks: Mapping[OpenKey, Task | None]) -> None:
        """Write the items of tasks as these were read. Raises ConditionFailed."""
        checks = [self._tasks.as_read_check(key, task) for key, task in tasks.items()]
        items = [self._store.action(key, OpenTask.if_open(task)) for key, task in tasks.items()]
        for task in tasks.values():
            items += self._closed_blocks.following(None, task)
        self._database.transact(*checks, *items)
