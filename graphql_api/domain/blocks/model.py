"""Planned blocks: the pieces of a task, each at its time, and what became of them. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from graphql_api import clock
from graphql_api.domain.planner.model import Reason
from graphql_api.errors import BadUserInput
from graphql_api.ids import ID_PATTERN
from graphql_api.infra.dynamodb import codec
from graphql_api.infra.dynamodb.codec import Raw

MAX_LENGTH = timedelta(days=10)  # of a block that is moved: as the longest task
MAX_PAST = 20  # blocks of a task that are over and stay, the latest
MAX_EXPLAINED = 10  # blocks of a task that keep their reasons, the first: an item has 400 KB

_BLOCK_ID = re.compile(rf"({ID_PATTERN})_([0-9]{{1,9}})", re.ASCII)

Span = tuple[datetime | None, datetime | None]


class BlockState(Enum):
    """The state of a planned block."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class PlannedBlock:
    """A piece of a task at its time; `number` tells it from the other blocks of its task.

    Only PLANNED, DONE and MISSED are stored: that a planned block is started, or was missed, is
    told by the clock. One that is `pinned` stays in every plan; one that was placed `by_hand`, in
    those that keep what is planned.
    """

    number: int
    start: datetime
    end: datetime
    state: BlockState = BlockState.PLANNED
    pinned: bool = False
    by_hand: bool = False
    counted: int = 0  # minutes of work that were logged by marking it done
    reasons: tuple[Reason, ...] = ()

    @property
    def minutes(self) -> int:
        """The length."""
        return int((self.end - self.start).total_seconds()) // 60

    @property
    def is_planned(self) -> bool:
        """Return whether it is neither done nor missed, but for what the clock says."""
        return self.state is BlockState.PLANNED

    def is_ahead(self, now: datetime) -> bool:
        """Return whether it is planned, and not over."""
        return self.is_planned and self.end > now

    def worked(self, since: datetime, until: datetime) -> "PlannedBlock":
        """The block after work: done, if that has filled half of it."""
        overlap = min(self.end, until) - max(self.start, since)
        if not self.is_planned or self.end == self.start or 2 * overlap < self.end - self.start:
            return self
        return replace(self, state=BlockState.DONE)

    def moved(self, start: datetime, end: datetime) -> "PlannedBlock":
        """The block at another time, where somebody has put it. Raises BadUserInput."""
        if end <= start:
            raise BadUserInput("A block must end after it starts.", "end")
        if end - start > MAX_LENGTH:
            raise BadUserInput(f"A block must have at most {MAX_LENGTH.days} days.", "end")
        return replace(self, start=start, end=end, by_hand=True, reasons=())


def decoded(stored: Raw) -> tuple[PlannedBlock, ...]:
    """The blocks of a task as they are stored, by time."""
    return by_time(codec.decode(PlannedBlock, each["M"]) for each in stored.values())


def encoded(blocks: Iterable[PlannedBlock]) -> Raw | None:
    """Blocks as a task stores them, by their numbers; None without any."""
    return Raw({str(block.number): codec.value(block) for block in blocks}) or None


def first_start(stored: Raw) -> datetime:
    """The start of the first of blocks as they are stored."""
    return clock.parse(min(block["M"]["start"]["S"] for block in stored.values()))


def last_end(stored: Raw) -> datetime:
    """The end of the last of blocks as they are stored."""
    return clock.parse(max(block["M"]["end"]["S"] for block in stored.values()))


def by_time(blocks: Iterable[PlannedBlock]) -> tuple[PlannedBlock, ...]:
    """Sort blocks by their times."""
    return tuple(sorted(blocks, key=lambda block: (block.start, block.end, block.number)))


def outer_span(blocks: Iterable[PlannedBlock]) -> Span:
    """The span of what is still planned, or else of what was done; nothing without any."""
    known = tuple(blocks)
    for state in (BlockState.PLANNED, BlockState.DONE):
        if chosen := [block for block in known if block.state is state]:
            return min(block.start for block in chosen), max(block.end for block in chosen)
    return None, None


def next_number(blocks: Iterable[PlannedBlock]) -> int:
    """The number of a new block beside these."""
    return 1 + max((block.number for block in blocks), default=0)


def history(blocks: Iterable[PlannedBlock], now: datetime) -> list[PlannedBlock]:
    """The latest of the blocks that are over, those that nobody has done as missed."""
    past = [
        replace(block, state=BlockState.MISSED) if block.is_planned else block
        for block in by_time(blocks)
        if not block.is_ahead(now)
    ]
    return past[-MAX_PAST:]


def closed(blocks: Iterable[PlannedBlock], now: datetime) -> list[PlannedBlock]:
    """The blocks of a task that is closed: what had not begun goes, what runs ends now."""
    return [
        replace(block, end=min(block.end, now)) if block.is_planned else block
        for block in blocks
        if block.start < now or not block.is_planned
    ]


def block_id(task_id: str, number: int) -> str:
    """The id of a block, for clients."""
    return f"{task_id}_{number}"


def parse_id(text: str) -> tuple[str, int] | None:
    """The task's id and the number of a block's id; None if it is none."""
    found = _BLOCK_ID.fullmatch(text)
    return (found[1], int(found[2])) if found else None
