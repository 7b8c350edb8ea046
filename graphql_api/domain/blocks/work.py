"""Work on tasks: the timer, of which a user has one, and minutes that are logged."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import edit
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.infra.dynamodb import Action, Attr, Database, Put, codec

TIMER = "timer"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # of work that is logged


@dataclass(frozen=True, slots=True)
class Start:
    """A task whose timer runs, and the one whose timer was stopped for it, if any."""

    task: Task
    stopped: Task | None


class TimerPointer:
    """Points to the task whose timer was started last, in its user's partition.

    user_id   item=timer   task_id

    The timer itself is the task's: it may have been stopped since, or the task be gone.
    """

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def get(self, user_id: str) -> str | None:
        """The id of the task."""
        item = self._table.get(user_id=user_id, item=TIMER)
        return str(item["task_id"]["S"]) if item else None

    def put(self, user_id: str, before: str | None, task_id: str) -> Action:
        """The action that points to another task, unless somebody has done so meanwhile."""
        pointer = Attr("task_id")
        same = pointer.eq(before) if before else pointer.not_exists()
        return Put(self._table, codec.item(user_id=user_id, item=TIMER, task_id=task_id), same)


class Work:
    """Operations on the work of a user; the first argument is always the user's id."""

    def __init__(self, tasks: TaskStore, pointer: TimerPointer) -> None:
        self._tasks, self._pointer = tasks, pointer

    def start(
        self,
        user_id: str,
        id: str,
        actor: Actor,
        now: datetime,
        expected_version: int | None = None,
    ) -> Start:
        """Start the timer of a task, and stop any other in the same instant.

        Raises NotFound, and Conflict if the task is closed or has not the expected version.
        """

        def attempt() -> Start:
            last = self._pointer.get(user_id)
            found = self._tasks.get_many([(user_id, each) for each in {id, last or id}])
            task = found.get((user_id, id)) or self._tasks.get(user_id, id)
            check_version("task", task.version, expected_version)
            after = task.started(now)
            if after is task:
                return Start(task, None)
            writes = [edit(task, after.touched(now), actor, now)]
            other = found.get((user_id, last or id))
            if other and other.task_id != id and other.running_since:
                writes.append(edit(other, other.stopped(now).touched(now), actor, now))
            self._tasks.write(*writes, beside=[self._pointer.put(user_id, last, id)])
            return Start(writes[0].result, writes[1].result if writes[1:] else None)

        return retry_on_conflict(attempt)

    def stop(
        self,
        user_id: str,
        id: str,
        actor: Actor,
        now: datetime,
        expected_version: int | None = None,
    ) -> Task:
        """Stop the timer of a task, and log its minutes; one that stands still stays so.

        Raises NotFound, and Conflict if the task has not the expected version.
        """
        return self._change(
            user_id, id, expected_version, actor, now, lambda task: task.stopped(now)
        )

    def log(
        self,
        user_id: str,
        id: str,
        minutes: int,
        actor: Actor,
        now: datetime,
        at: datetime | None = None,
        expected_version: int | None = None,
    ) -> Task:
        """Log minutes of work on a task that ended `at` an instant; less than none correct others.

        Raises NotFound, BadUserInput, and Conflict if the task has not the expected version.
        """
        until = at or now
        if until > now:
            raise BadUserInput("Work that is logged must have ended already.", "at")
        if until < EARLIEST:
            raise BadUserInput(f"{FIELD} must not be before {EARLIEST.year}.", "at")
        return self._change(
            user_id, id, expected_version, actor, now, lambda task: task.logged(minutes, until)
        )

    def _change(
        self,
        user_id: str,
        task_id: str,
        expected_version: int | None,
        actor: Actor,
        now: datetime,
        change: Callable[[Task], Task],
    ) -> Task:
        def attempt() -> Task:
            before = self._tasks.get(user_id, task_id)
            check_version("task", before.version, expected_version)
            after = change(before)
            if after is before:
                return before
            write = edit(before, after.touched(now), actor, now)
            self._tasks.write(write)
            return write.result

        return retry_on_conflict(attempt)
