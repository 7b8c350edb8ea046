"""Events of a feed: planned blocks, and tasks that are due. Pure."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from graphql_api.domain.blocks.model import BlockState
from graphql_api.domain.blocks.service import TaskBlock
from graphql_api.domain.calendars.icalendar import Event
from graphql_api.domain.calendars.model import FeedDetail
from graphql_api.domain.tasks.model import Task

MAX_DESCRIPTION = 1_000  # characters
BUSY, DUE = "Busy", "Due"

_DAY = timedelta(days=1)


def of_blocks(blocks: Iterable[TaskBlock], detail: FeedDetail) -> Iterator[Event]:
    """An event for each planned block that was not missed; one that moves keeps its id."""
    for block in blocks:
        if block.state is BlockState.MISSED:
            continue
        task = block.task
        part = f" ({block.part}/{block.parts})" if block.parts > 1 else ""
        yield Event(
            uid=block.block_id,
            summary=f"{task.title}{part}" if detail is FeedDetail.FULL else BUSY,
            start=block.start,
            end=block.end,
            sequence=task.version,
            modified=task.updated_at,
            is_busy=True,
            description=_description(task, detail),
        )


def of_due(tasks: Iterable[Task], detail: FeedDetail) -> Iterator[Event]:
    """An event for each task that is due: at its time, or on its whole day."""
    for task in tasks:
        start = task.due
        if start is not None:
            yield Event(
                uid=f"{task.task_id}_due",
                summary=task.title if detail is FeedDetail.FULL else DUE,
                start=start,
                end=task.due_on + _DAY if task.due_on else None,
                sequence=task.version,
                modified=task.updated_at,
                is_busy=False,
                description=_description(task, detail),
            )


def _description(task: Task, detail: FeedDetail) -> str:
    return task.description[:MAX_DESCRIPTION] if detail is FeedDetail.FULL else ""
