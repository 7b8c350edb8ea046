"""Blocks that a plan leaves where they are: pinned, under way, elsewhere on purpose. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from graphql_api.domain.blocks.model import BlockState, PlannedBlock
from graphql_api.domain.planner.calendar import Minutes, free_intervals
from graphql_api.domain.planner.minutes import floor
from graphql_api.domain.planner.model import PlanRequest, Schedule, WorkingHours
from graphql_api.domain.plans.options import Options
from graphql_api.domain.tasks.model import Task


class Standing:
    """Tells which blocks of tasks stay, whatever else is planned.

    Those are blocks that are pinned, that are under way when the plan begins, or that lie behind
    its end, unless it is asked for their task. If a plan keeps what is planned, what was placed by
    hand outside the working hours stays, too. What is over by `now` stays nowhere.
    """

    def __init__(
        self,
        options: Options,
        hours: WorkingHours,
        schedules: Sequence[Schedule],
        schedule_of: Callable[[Task], str],
        now: datetime,
    ) -> None:
        """Take the options, and what names a task's schedule.

        Raises BadUserInput for options of which no plan can be made.
        """
        request = PlanRequest(
            tasks=(), hours=hours, from_=options.from_, horizon_days=options.horizon_days
        )
        self._options, self._schedule_of = options, schedule_of
        self.over = min(now, options.from_)  # a plan that begins later moves what is before it
        self._end = options.from_ + timedelta(days=options.horizon_days)
        self._hours: dict[str, Sequence[Minutes]] = {}
        if options.keep_current:
            weeks = [("", hours), *((each.name, each.hours) for each in schedules)]
            self._hours = {name: free_intervals(request, week) for name, week in weeks}

    def fixed(self, task: Task) -> list[PlannedBlock]:
        """The blocks of a task that stay."""
        return [block for block in task.pieces if self._stays(task, block)]

    def movable(self, task: Task) -> list[PlannedBlock]:
        """The blocks of a task that are to come and may move."""
        ahead = [block for block in task.pieces if block.is_ahead(self.over)]
        return [block for block in ahead if not self._stays(task, block)]

    def _stays(self, task: Task, block: PlannedBlock) -> bool:
        if not block.is_ahead(self.over):
            return False
        if block.pinned:
            return True
        if block.by_hand and block.minutes > (task.duration_minutes or 0):
            return False  # as planned times were before blocks were kept: around all of them
        if task.state_of(block, self._options.from_) is BlockState.STARTED:
            return True
        if block.start >= self._end:
            return self._options.task_ids is None
        return self._options.keep_current and block.by_hand and not self._is_in_hours(task, block)

    def _is_in_hours(self, task: Task, block: PlannedBlock) -> bool:
        hours = self._hours.get(self._schedule_of(task), self._hours[""])
        start, end = floor(block.start), floor(block.end)
        place = bisect_right(hours, (start, end)) - 1
        around = [hours[place]] if place >= 0 else []
        return any(opens <= start and end <= closes for opens, closes in around)
