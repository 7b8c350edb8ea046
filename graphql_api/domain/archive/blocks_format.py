"""Planned blocks of a task in the JSON document of export and import.

[{"number": …, "start": …, "end": …, "state": …, "pinned": …, "by_hand": …,
  "counted": …, "reasons": [{"code": …, "text": …, "task_ids": […]}, …]}, …]
"""

from collections.abc import Iterable
from typing import Any

from graphql_api import clock
from graphql_api.domain.blocks import model
from graphql_api.domain.blocks.model import BlockState, PlannedBlock
from graphql_api.domain.planner.model import Reason, ReasonCode
from graphql_api.errors import BadUserInput
from graphql_api.infra.dynamodb.codec import Raw

MAX_BLOCKS = 1_000  # of a task

Json = dict[str, Any]


def entries(pieces: Iterable[PlannedBlock]) -> list[Json]:
    """The entries of blocks."""
    return [
        {
            "number": block.number,
            "start": clock.text(block.start),
            "end": clock.text(block.end),
            "state": block.state.value,
            "pinned": block.pinned,
            "by_hand": block.by_hand,
            "counted": block.counted,
            "reasons": [
                {"code": each.code.value, "text": each.text, "task_ids": list(each.task_ids)}
                for each in block.reasons
            ],
        }
        for block in pieces
    ]


def blocks(given: Any) -> Raw | None:
    """Convert entries to the blocks of a task, as it keeps them. Raises BadUserInput."""
    try:
        found = [_block(each) for each in given]
    except (KeyError, TypeError, ValueError) as error:
        raise BadUserInput(f"These are no planned blocks: {error!r}", "planned_blocks") from None
    numbers = {block.number for block in found}
    if len(numbers) < len(found) or len(found) > MAX_BLOCKS:
        message = f"A task has at most {MAX_BLOCKS:,} planned blocks, each with its number."
        raise BadUserInput(message, "planned_blocks")
    return model.encoded(found)


def _block(entry: Json) -> PlannedBlock:
    start, end = clock.parse(entry["start"]), clock.parse(entry["end"])
    if end < start:
        raise ValueError("A block must not end before it starts.")
    return PlannedBlock(
        number=int(entry["number"]),
        start=start,
        end=end,
        state=BlockState(entry["state"]),
        pinned=bool(entry["pinned"]),
        by_hand=bool(entry["by_hand"]),
        counted=int(entry["counted"]),
        reasons=tuple(map(_reason, entry["reasons"])),
    )


def _reason(entry: Json) -> Reason:
    return Reason(ReasonCode(entry["code"]), str(entry["text"]), tuple(map(str, entry["task_ids"])))
