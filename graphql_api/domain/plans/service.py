"""Planning tasks: what a plan would be, applying it, undoing that."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from graphql_api.domain.paging import Budget, Window
from graphql_api.domain.planner.calendar import free_time
from graphql_api.domain.planner.model import TASKS, Plan, PlanRequest
from graphql_api.domain.planner.planner import plan
from graphql_api.domain.plans.model import (
    OPEN,
    Blockers,
    Change,
    Differences,
    Options,
    Selection,
    changes,
)
from graphql_api.domain.plans.store import Applied, PlanStore
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.tasks.model import OrderDirection, Task, TaskFilter, TaskOrder
from graphql_api.domain.tasks.store import MOST_READ, TaskStore
from graphql_api.errors import (
    BadUserInput,
    Conflict,
    NotFound,
    QueryTooComplex,
)
from graphql_api.infra.concurrency.bulkhead import Places
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import ConditionFailed

PATIENCE = 1.0  # seconds that a plan may wait for those before it …
MOST_WAITING = 8  # … as so many may at a time
GAPS = 500  # that the free time of a plan may have: what a plan costs grows with them
WRITTEN_AT_ONCE = 50  # tasks: the largest ones stay well below a transaction's 4 MB
ATTEMPTS = 10  # at tasks that others keep changing

_BY_ID = TaskOrder(direction=OrderDirection.ASC)
_OPEN = TaskFilter(status=OPEN)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan of tasks as they are, which nobody has applied."""

    selection: Selection
    request: PlanRequest
    plan: Plan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each task, by its id, when the changes of a plan were written."""

    plan_id: str
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    conflicts: tuple[str, ...]


class Plans:
    """What people do with plans; the first argument is always whose tasks they are of."""

    def __init__(
        self,
        tasks: TaskStore,
        plans: PlanStore,
        blockers: Callable[[str], Blockers],
    ) -> None:
        """`blockers` says what a user's tasks wait for."""
        self._tasks = tasks
        self._plans = plans
        self._blockers = blockers
        # A large plan takes a second of a core, which all requests share, its input's hash 0.1 s.
        self._planning, self._hashing = (
            Places(
                1,
                "Others are planning, try again.",
                waiting=MOST_WAITING,
                seconds=PATIENCE,
                in_threads=True,
            )
            for _ in range(2)
        )

    def preview(self, user_id: str, settings: Settings, options: Options) -> Draft:
        """The plan of the user's open tasks; nothing is written.

        Raises BadUserInput, NotFound, QueryTooComplex, and ServiceUnavailable while others plan.
        """
        selection, request = self._request(user_id, settings, options)
        return self._draft(selection, request)

    def apply(
        self,
        user_id: str,
        settings: Settings,
        options: Options,
        plan_id: str,
        seen: Mapping[str, int] | None,
        now: datetime,
    ) -> Outcome:
        """Plan the tasks as the plan of this id, its input's hash, has them.

        Whoever was interrupted can apply the same plan again: what is written already stays.
        Raises Conflict if the input is another now, with how the tasks differ from those that
        the client has `seen`; else as `preview` does.
        """
        selection, request = self._request(user_id, settings, options)
        if request.input_hash == plan_id:
            draft = self._draft(selection, request)
            wanted = changes(selection.planned, draft.plan)
            self._plans.add(user_id, plan_id, wanted, now)
            known = {task.task_id: task for task in selection.planned}
            return self._write(user_id, plan_id, wanted, known, now)
        applied = self._plans.find(user_id, plan_id, now)
        if applied is None or applied.undone:
            raise _stale(request, seen)
        return self._write(user_id, plan_id, applied.changes, {}, now)

    def undo(self, user_id: str, plan_id: str, now: datetime) -> Outcome:
        """Plan the tasks of an applied plan as they were before, but for those changed since.

        It can be repeated, too. Raises NotFound.
        """
        applied = self._plans.find(user_id, plan_id, now)
        if applied is None:
            raise NotFound("There is no such plan to undo.", field="planId")
        self._plans.mark_undone(user_id, plan_id)
        return self._write_back(user_id, plan_id, applied, now)

    def _request(
        self, user_id: str, settings: Settings, options: Options
    ) -> tuple[Selection, PlanRequest]:
        tasks, blockers = self._open_tasks(user_id), self._blockers(user_id)

        def request() -> tuple[Selection, PlanRequest]:
            selection = Selection.of(tasks, options.task_ids)
            asked = selection.request(settings, options, blockers)
            _ = asked.input_hash  # once
            return selection, asked

        return self._hashing.apart(request)

    def _open_tasks(self, user_id: str) -> Sequence[Task]:
        window, budget = Window(TASKS), Budget(MOST_READ)
        page = self._tasks.page(user_id, _BY_ID, _OPEN, window, None, budget)
        if page.has_next and page.complete:
            raise BadUserInput(
                f"Plans are for at most {TASKS} open tasks, planned or not.", "tasks"
            )
        if not page.complete:
            raise QueryTooComplex("There are too many tasks to plan them in one request.")
        return page.items

    def _draft(self, selection: Selection, request: PlanRequest) -> Draft:
        def draft() -> Draft:
            if len(free_time(request)) > GAPS:
                raise BadUserInput(
                    f"The free time may have {GAPS} pieces at most: plan fewer days.",
                    "horizonDays",
                )
            return Draft(selection, request, plan(request))

        return self._planning.apart(draft)

    def _write_back(self, user_id: str, plan_id: str, applied: Applied, now: datetime) -> Outcome:
        """Undo the changes, but for those that an interrupted application has never made."""
        known = self._read(user_id, [change.task_id for change in applied.changes])
        made = [c for c in applied.changes if c.needed and not c.due(known.get(c.task_id))]
        outcome = self._write(user_id, plan_id, [change.undoing for change in made], known, now)
        never = {change.task_id for change in applied.changes} - {c.task_id for c in made}
        return replace(outcome, unchanged=(*outcome.unchanged, *sorted(never)))

    def _write(
        self,
        user_id: str,
        plan_id: str,
        wanted: Sequence[Change],
        known: Mapping[str, Task],
        now: datetime,
    ) -> Outcome:
        """Make the changes, some at a time, each task's only if it is as it was before."""
        written: list[str] = []
        conflicts: list[str] = []
        for at in range(0, len(wanted), WRITTEN_AT_ONCE):
            extend_deadline()
            some = wanted[at : at + WRITTEN_AT_ONCE]
            tried, failed = self._write_some(user_id, some, known, now)
            written += tried
            conflicts += failed
        touched = {*written, *conflicts}
        unchanged = (c.task_id for c in wanted if c.task_id not in touched)
        return Outcome(plan_id, tuple(written), tuple(unchanged), tuple(conflicts))

    def _write_some(
        self, user_id: str, some: Sequence[Change], known: Mapping[str, Task], now: datetime
    ) -> tuple[list[str], list[str]]:
        """The ids of those that this has changed, and of those that are as nobody planned them."""
        ids = [change.task_id for change in some]
        tasks = {i: known[i] for i in ids if i in known} if known else self._read(user_id, ids)
        tried: dict[str, None] = {}
        for _ in range(ATTEMPTS):
            due = [change for change in some if change.due(tasks.get(change.task_id))]
            if not due:
                break
            tried.update((change.task_id, None) for change in due)
            pairs = [(tasks[c.task_id], c.after(tasks[c.task_id], now)) for c in due]
            try:
                self._tasks.replace_all(pairs)
            except ConditionFailed:
                tasks = self._read(user_id, ids)
            else:
                tasks |= {after.task_id: after for _, after in pairs}
        made = {change.task_id for change in some if change.made(tasks.get(change.task_id))}
        return [i for i in tried if i in made], [i for i in ids if i not in made]

    def _read(self, user_id: str, ids: Iterable[str]) -> dict[str, Task]:
        tasks = self._tasks.get_many([(user_id, task_id) for task_id in ids])
        return {task_id: task for (_, task_id), task in tasks.items()}


def _stale(request: PlanRequest, seen: Mapping[str, int] | None) -> Conflict:
    """What a plan of other input gets: what the input is now."""
    versions = {task.task_id: task.version for task in request.tasks}
    differences = {} if seen is None else asdict(Differences.between(seen, versions))
    return Conflict(
        "The tasks, the settings or the request are others than those of this plan.",
        field="inputHash",
        inputHash=request.input_hash,
        **differences,
    )
