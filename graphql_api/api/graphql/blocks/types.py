"""The GraphQL types of planned blocks."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.context import MAX_LISTED
from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.plans.types import Reason
from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.blocks.model import BlockState
from graphql_api.domain.blocks.service import TaskBlock
from graphql_api.domain.tasks.model import Task as TaskModel

describe_enum(
    BlockState,
    "What has become of a planned block.",
    PLANNED="It is still to come, or somebody might begin it now.",
    STARTED="It is now, and its task is in progress.",
    DONE="It is done.",
    MISSED="It is over and was not done: the next plan finds another time.",
)


@strawberry.type(description="Why a planned block was put where it is.")
class PlanReason(Reason):
    pass


@strawberry.type(description="A piece of a task that is planned, or was, and is kept.")
class PlannedBlock(Node):
    block_id: strawberry.ID = strawberry.field(name="id", description="The block's id.")
    start: datetime = strawberry.field(description="The start.")
    end: datetime = strawberry.field(description="The end.")
    part: int = strawberry.field(
        description="The number of this block among those kept of the task, by time, from 1."
    )
    parts: int = strawberry.field(description="How many blocks of the task are kept.")
    state: BlockState = strawberry.field(description="What has become of it until now.")
    pinned: bool = strawberry.field(description="Whether it stays in every plan.")
    reasons: list[PlanReason] = strawberry.field(
        description="Why a plan has put it there; empty for one that was put there by hand.",
        metadata=field_cost(LOADED, items=4),
    )

    @strawberry.field(
        graphql_type=Task,
        description=(
            f"The task that it is a piece of. A request returns at most {MAX_LISTED} tasks in all"
            " its lists."
        ),
    )
    def task(block: strawberry.Parent[TaskBlock]) -> TaskModel:  # noqa: N805 - the parent is the model's block
        return block.task


@strawberry.type(description="The block after a write.")
class PlannedBlockPayload:
    block: strawberry.Private[TaskBlock]

    @strawberry.field(name="block", graphql_type=PlannedBlock, description="The block.")
    def block_field(self) -> TaskBlock:
        return self.block
