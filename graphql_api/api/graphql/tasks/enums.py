"""The enums of tasks with their GraphQL descriptions: import them from here."""

from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.tasks.filters import OrderDirection, TaskOrderField
from graphql_api.domain.tasks.model import DeadlineType, TaskPriority, TaskStatus
from graphql_api.domain.tasks.ranking import MOST_RANKED

__all__ = ["DeadlineType", "OrderDirection", "TaskOrderField", "TaskPriority", "TaskStatus"]

describe_enum(
    TaskStatus,
    "Where a task stands.",
    PENDING="Not begun.",
    IN_PROGRESS="Begun.",
    COMPLETED="Done.",
    CANCELLED="Not to be done any more.",
)
describe_enum(
    TaskPriority,
    "How much a task matters.",
    LOW="Can wait.",
    MEDIUM="As usual.",
    HIGH="Before the usual.",
    URGENT="Before everything else.",
)
describe_enum(
    DeadlineType,
    "What a due date means to the planner.",
    HARD="Never later: what cannot be done in time is not planned at all.",
    SOFT="Later if need be, and then said so.",
)
describe_enum(
    TaskOrderField,
    "What tasks can be sorted by.",
    CREATED_AT="The time of creation.",
    DUE_AT="The due date; tasks without one come last in both directions.",
    URGENCY=(
        f"The urgency, of open tasks only: the {MOST_RANKED:,} newest of them are read, and"
        " `isComplete` is false if there are more. The pages of one listing are as of one instant."
    ),
)
describe_enum(
    OrderDirection,
    "Which end of an order comes first.",
    ASC="The earliest first, or the least.",
    DESC="The latest first, or the most.",
)
