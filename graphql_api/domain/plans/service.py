"""Preview, apply and undo plans."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import conflict_attempts
from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.planner.model import MAX_TASKS, Interval, Plan, PlanRequest
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.planner.steps import Steps
from graphql_api.domain.plans.coming import Coming, ComingBlock, is_coming
from graphql_api.domain.plans.model import (
    OPEN,
    Blockers,
    Change,
    Differences,
    Selection,
    changes,
)
from graphql_api.domain.plans.options import Options
from graphql_api.domain.plans.store import Applied, PlanStore
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.tasks.filters import (
    ANY_VIEWPOINT,
    OrderDirection,
    TaskFilter,
    TaskOrder,
)
from graphql_api.domain.tasks.list_reader import MAX_READ, TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.receipts import Receipt
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import edit
from graphql_api.errors import (
    BadUserInput,
    Conflict,
    NotFound,
    QueryTooComplex,
)
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import ConditionFailed

BATCH_SIZE = 50  # tasks in a transaction: the largest ones stay well below its 4 MB

_BY_ID = TaskOrder(direction=OrderDirection.ASC)
_OPEN = TaskFilter(status=OPEN)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that is not applied, and what it was made from."""

    selection: Selection
    request: PlanRequest
    plan: Plan
    coming: tuple[ComingBlock, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ids of the tasks of a plan by what happened to them when its changes were written."""

    plan_id: str
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    conflicts: tuple[str, ...]

    def of_tasks(self, shown: Callable[[Sequence[str]], Sequence[str]]) -> "Outcome":
        """The outcome without tasks that are not shown."""
        kinds = (self.written, self.unchanged, self.conflicts)
        return Outcome(self.plan_id, *(tuple(shown(each)) for each in kinds))


class Plans:
    """Operations on plans; the first argument is always the id of the tasks' owner."""

    def __init__(
        self,
        tasks: TaskStore,
        lists: TaskListReader,
        plans: PlanStore,
        blockers: Callable[[str], Blockers],
        series: SeriesStore,
        busy: Callable[[str], Sequence[Interval]],
        *,
        planning: Bulkhead,
        hashing: Bulkhead,
    ) -> None:
        """Take the stores, and functions that read a user's dependencies and busy times."""
        self._tasks = tasks
        self._lists = lists
        self._plans = plans
        self._blockers, self._series, self._busy = blockers, series, busy
        self._planning, self._hashing = planning, hashing

    def preview(self, user_id: str, settings: Settings, options: Options, now: datetime) -> Draft:
        """Plan the user's open tasks without writing anything.

        Raises BadUserInput, NotFound, QueryTooComplex, and ServiceUnavailable while too many
        plans are being made.
        """
        return self._draft(*self._request(user_id, settings, options, now))

    def apply(
        self,
        user_id: str,
        settings: Settings,
        options: Options,
        plan_id: str,
        seen: Mapping[str, int] | None,
        actor: Actor,
        now: datetime,
        *,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Write the planned times of the plan with this id, which is its input hash.

        Repeatable: after an interruption, the same call writes the rest; with an idempotency key,
        it is answered as the call that has written it. Raises Conflict if the input has changed,
        with the differences from the versions that the client has `seen`, or for a key that was
        used with other content; otherwise as `preview`.
        """
        given = {"options": options, "plan_id": plan_id}
        receipt = Receipt.of_request(user_id, idempotency_key, "plan_apply", given, now)
        if outcome := self._tasks.receipts.find(receipt, Outcome):
            return outcome.of_tasks(partial(self._tasks.shown, user_id))
        selection, request, coming = self._request(user_id, settings, options, now)
        planned: Sequence[Change]
        if request.input_hash == plan_id:
            draft = self._draft(selection, request, coming)
            planned = changes(selection.planned, draft.plan, min(now, request.from_))
            self._plans.add(user_id, plan_id, planned, now)
            tasks = {task.task_id: task for task in selection.planned}
        else:
            applied = self._plans.find(user_id, plan_id, now)
            if applied is None or applied.undone:
                raise _stale(request, seen)
            planned, tasks = self._shown(user_id, applied), {}
        outcome = self._write(user_id, plan_id, planned, tasks, actor, now)
        self._tasks.receipts.keep(receipt, outcome)
        return outcome

    def undo(self, user_id: str, plan_id: str, actor: Actor, now: datetime) -> Outcome:
        """Restore the planned times from before a plan, except of tasks changed since.

        Repeatable. Raises NotFound.
        """
        applied = self._plans.find(user_id, plan_id, now)
        if applied is None:
            raise NotFound("There is no applied plan with this id.", field="plan_id")
        self._plans.mark_undone(user_id, plan_id)
        return self._write_back(user_id, plan_id, applied, actor, now)

    def _request(
        self, user_id: str, settings: Settings, options: Options, now: datetime
    ) -> tuple[Selection, PlanRequest, Coming]:
        tasks, blockers = self._open_tasks(user_id), self._blockers(user_id)
        busy = self._busy(user_id)
        series = self._series.of_tasks(tasks)

        def build() -> tuple[Selection, PlanRequest, Coming]:
            selection = Selection.of(tasks, options.task_ids)
            request = selection.request(settings, options, blockers, now)
            coming = Coming.within(request, selection.planned, series)
            request = coming.added_to(request)
            request = request.around(busy)
            _ = request.input_hash  # computed here, in the thread, and cached
            return selection, request, coming

        return self._hashing.run_in_thread(build)

    def _open_tasks(self, user_id: str) -> Sequence[Task]:
        window, budget = Window(MAX_TASKS), Budget(MAX_READ)
        page = self._lists.page(user_id, _BY_ID, _OPEN, window, None, budget, ANY_VIEWPOINT)
        if page.has_next and page.complete:
            raise BadUserInput(
                f"Planning needs at most {MAX_TASKS} open tasks, planned or not.", "tasks"
            )
        if not page.complete:
            raise QueryTooComplex("There are too many tasks to read them in one request.")
        return page.items

    def _draft(self, selection: Selection, request: PlanRequest, coming: Coming) -> Draft:
        def make() -> Draft:
            whole = plan(request, Steps(on_progress=extend_deadline))
            return Draft(selection, request, *coming.taken_from(whole))

        return self._planning.run_in_thread(make)

    def _write_back(
        self, user_id: str, plan_id: str, applied: Applied, actor: Actor, now: datetime
    ) -> Outcome:
        """Undo changes, except those that an interrupted application never made."""
        planned = self._shown(user_id, applied)
        tasks = self._read(user_id, [change.task_id for change in planned])
        made = [
            change
            for change in planned
            if change.is_needed and not change.applies_to(tasks.get(change.task_id))
        ]
        inverse = [change.inverse for change in made]
        outcome = self._write(user_id, plan_id, inverse, tasks, actor, now)
        never_made = {change.task_id for change in planned} - {c.task_id for c in made}
        return replace(outcome, unchanged=(*outcome.unchanged, *sorted(never_made)))

    def _write(
        self,
        user_id: str,
        plan_id: str,
        planned: Sequence[Change],
        tasks: Mapping[str, Task],
        actor: Actor,
        now: datetime,
    ) -> Outcome:
        """Make changes in batches, each only if its task is at the version that it changes.

        `tasks` are those read already, by id; they are read again if that is empty.
        """
        written: list[str] = []
        conflicts: list[str] = []
        for start in range(0, len(planned), BATCH_SIZE):
            extend_deadline()
            batch = planned[start : start + BATCH_SIZE]
            batch_written, batch_conflicts = self._write_batch(user_id, batch, tasks, actor, now)
            written += batch_written
            conflicts += batch_conflicts
        touched = {*written, *conflicts}
        unchanged = (change.task_id for change in planned if change.task_id not in touched)
        return Outcome(plan_id, tuple(written), tuple(unchanged), tuple(conflicts))

    def _write_batch(
        self,
        user_id: str,
        batch: Sequence[Change],
        known: Mapping[str, Task],
        actor: Actor,
        now: datetime,
    ) -> tuple[list[str], list[str]]:
        """Make changes together; returns the ids written, and those in conflict."""
        ids = [change.task_id for change in batch]
        tasks = {i: known[i] for i in ids if i in known} if known else self._read(user_id, ids)
        tried: dict[str, None] = {}
        for number, _ in enumerate(conflict_attempts()):
            if number:
                tasks = self._read(user_id, ids)
            pending = [change for change in batch if change.applies_to(tasks.get(change.task_id))]
            if not pending:
                break
            tried.update((change.task_id, None) for change in pending)
            writes = [
                edit(tasks[c.task_id], c.apply_to(tasks[c.task_id], now), actor, now)
                for c in pending
            ]
            with suppress(ConditionFailed):
                for group in self._tasks.transactions(writes):
                    self._tasks.write(*group)
                    tasks |= {write.result.task_id: write.result for write in group}
                break
        else:
            tasks = self._read(user_id, ids)
        applied = {c.task_id for c in batch if c.is_applied_to(tasks.get(c.task_id))}
        return [i for i in tried if i in applied], [i for i in ids if i not in applied]

    def _shown(self, user_id: str, applied: Applied) -> list[Change]:
        """The changes of an applied plan to tasks that an answer may name."""
        shown = set(self._tasks.shown(user_id, [change.task_id for change in applied.changes]))
        return [change for change in applied.changes if change.task_id in shown]

    def _read(self, user_id: str, ids: Iterable[str]) -> dict[str, Task]:
        tasks = self._tasks.get_many([(user_id, task_id) for task_id in ids])
        return {task_id: task for (_, task_id), task in tasks.items()}


def _stale(request: PlanRequest, seen: Mapping[str, int] | None) -> Conflict:
    """Describe how the input of a plan has changed since."""
    versions = {job.task_id: job.version for job in request.tasks if not is_coming(job.task_id)}
    differences = {} if seen is None else asdict(Differences.between(seen, versions))
    return Conflict(
        "The tasks, the settings or the request have changed since this plan was made.",
        field="input_hash",
        input_hash=request.input_hash,
        **differences,
    )
