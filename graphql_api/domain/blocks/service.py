"""Reads planned blocks, and changes them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from graphql_api.domain.blocks.model import (
    BlockState,
    PlannedBlock,
    block_id,
    parse_id,
)
from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.paging import MAX_LISTED, Budget, check_range
from graphql_api.domain.planner.model import Reason
from graphql_api.domain.tasks.list_reader import TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.tasks.writes import edit
from graphql_api.errors import BadUserInput, NotFound, QueryTooComplex


@dataclass(frozen=True, slots=True)
class TaskBlock:
    """A planned block within its task, as it is at an instant: part `part` of `parts`."""

    task: Task
    block: PlannedBlock
    part: int
    parts: int
    state: BlockState

    @property
    def block_id(self) -> str:
        """The id, for clients."""
        return block_id(self.task.task_id, self.block.number)

    @property
    def start(self) -> datetime:
        """The start of the block."""
        return self.block.start

    @property
    def end(self) -> datetime:
        """The end of the block."""
        return self.block.end

    @property
    def pinned(self) -> bool:
        """Return whether the block stays in every plan."""
        return self.block.pinned

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons for which a plan has put it there; none of one placed by hand."""
        return self.block.reasons


def blocks_of(task: Task, now: datetime) -> list[TaskBlock]:
    """The planned blocks of a task, by time."""
    pieces = task.pieces
    return [
        TaskBlock(task, block, part, len(pieces), task.state_of(block, now))
        for part, block in enumerate(pieces, 1)
    ]


class PlannedBlocks:
    """Operations on planned blocks; the first argument is always the id of the tasks' owner."""

    def __init__(self, tasks: TaskStore, lists: TaskListReader) -> None:
        self._tasks, self._lists = tasks, lists

    def between(
        self, user_id: str, start: datetime, end: datetime, budget: Budget, now: datetime
    ) -> list[TaskBlock]:
        """The blocks that are, at least in part, within a range of time, by time.

        Raises BadUserInput for a range that is too long or ends before it starts, and
        QueryTooComplex if there is too much to read.
        """
        check_range(start, end)
        tasks = self._lists.planned_between(user_id, start, end, budget)
        found = [
            block
            for task in tasks
            for block in blocks_of(task, now)
            if block.start < end and (block.end > start or block.start >= start)
        ]
        if len(found) > MAX_LISTED:
            raise QueryTooComplex(f"A range has at most {MAX_LISTED:,} blocks: ask for less of it.")
        return sorted(found, key=lambda each: (each.start, each.end, each.block_id))

    def update(
        self, user_id: str, values: Mapping[str, Any], actor: Actor, now: datetime
    ) -> TaskBlock:
        """Move the block of `id`, pin it, or say what became of it.

        Raises NotFound, BadUserInput, and Conflict if the task has not the `expected_version`.
        """
        task_id, number = parse_id(values["id"]) or (values["id"], -1)

        def attempt() -> TaskBlock:
            before = self._tasks.get(user_id, task_id)
            check_version("task", before.version, values.get("expected_version"))
            found = [block for block in before.pieces if block.number == number]
            if not found:
                raise NotFound("There is no such planned block.", field="id")
            after = changed(before, found[0], values)
            if after is not before:
                write = edit(before, after.touched(now), actor, now)
                self._tasks.write(write)
                after = write.result
            [block] = [each for each in blocks_of(after, now) if each.block.number == number]
            return block

        return retry_on_conflict(attempt)


def changed(task: Task, block: PlannedBlock, values: Mapping[str, Any]) -> Task:
    """A task with changes of a block that somebody makes by hand. Raises BadUserInput.

    A start alone moves it, an end alone makes it longer or shorter; what is moved is pinned.
    """
    start, end, state = values.get("start"), values.get("end"), values.get("state")
    if state is BlockState.STARTED:
        raise BadUserInput("Start the task: its block is started then.", "state")
    placed = block
    if start or end:
        begins, length = start or block.start, block.end - block.start
        placed = replace(block.moved(begins, end or _later(begins, length)), pinned=True)
    if (pinned := values.get("pinned")) is not None:
        placed = replace(placed, pinned=pinned)
    others = [each for each in task.pieces if each != block]
    after = task.placed([*others, placed])
    return after.marked(placed, state) if state else after


def _later(start: datetime, length: timedelta) -> datetime:
    """The end of a block of a length. Raises BadUserInput for one beyond the year 9999."""
    try:
        return start + length
    except OverflowError:
        raise BadUserInput("A block must end before the year 10000.", "start") from None
