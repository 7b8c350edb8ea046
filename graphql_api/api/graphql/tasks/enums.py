"""The enums of tasks with their GraphQL descriptions: import them from here."""

from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.tasks.filters import OrderDirection, TaskOrderField
from graphql_api.domain.tasks.list_reader import MAX_SORTED
from graphql_api.domain.tasks.model import DeadlineType, TaskPriority, TaskStatus
from graphql_api.domain.tasks.ranking import MAX_RANKED

__all__ = ["DeadlineType", "OrderDirection", "TaskOrderField", "TaskPriority", "TaskStatus"]

describe_enum(
    TaskStatus,
    "The status of a task. Pending tasks and tasks in progress are open.",
    PENDING="Not started.",
    IN_PROGRESS="Started, not finished.",
    COMPLETED="Done.",
    CANCELLED="Abandoned: it will not be done.",
)
describe_enum(
    TaskPriority,
    "The priority of a task.",
    LOW="Can wait.",
    MEDIUM="The default.",
    HIGH="More important than most.",
    URGENT="More important than everything else.",
)
describe_enum(
    DeadlineType,
    "The meaning of a due date for plans.",
    HARD="The task must not end later; if it cannot be in time, it is not planned.",
    SOFT="The task may end later; the plan then reports it as at risk.",
)
_SORTED = (
    f"The {MAX_SORTED:,} newest tasks that match are listed; `isComplete` is false if there are"
    " more."
)
describe_enum(
    TaskOrderField,
    "The field by which tasks are sorted.",
    CREATED_AT="The time of creation.",
    DUE_AT="The due date, or the end of the due day. Without one, a task comes last both ways.",
    URGENCY=(
        f"The urgency. Only open tasks are listed, the {MAX_RANKED:,} newest of them;"
        " `isComplete` is false if there are more. All pages of a listing are rated as of the"
        " same instant; where that cannot be told any more, `isComplete` is false, too."
    ),
    PRIORITY=f"The priority. {_SORTED}",
    TITLE=f"The title, in whatever case. {_SORTED}",
    UPDATED_AT=f"The time of the last change. {_SORTED}",
    PLANNED_START=f"`plannedStart`. Tasks without one come last in both directions. {_SORTED}",
    COMPLETED_AT=f"`completedAt`. Tasks without one come last in both directions. {_SORTED}",
    POSITION=f"`position`, among siblings. {_SORTED}",
)
describe_enum(
    OrderDirection,
    "The direction in which tasks are sorted.",
    ASC="Earliest or lowest first.",
    DESC="Latest or highest first.",
)
