"""The GraphQL types of quick add."""

from datetime import date, datetime

import strawberry

from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.recurrence.enums import MissedPolicy, MonthEnd, RecurrenceAnchor
from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.api.graphql.tasks.enums import TaskPriority
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.quick_add import model
from graphql_api.domain.quick_add.model import MAX_TEXT_LENGTH, SpanKind
from graphql_api.domain.tasks.model import MAX_TITLE_LENGTH
from graphql_api.domain.tasks.model import Task as TaskModel

describe_enum(
    SpanKind,
    "What a part of the text was read as.",
    DATE="A day, perhaps with a part of it, such as `tomorrow evening`.",
    TIME="A time of day, or one that is counted from now.",
    RECURRENCE="When it comes again.",
    TAG="A tag, `#home`.",
    PRIORITY="A priority, `!high`.",
    PROJECT="A project, `@move`.",
    DURATION="How long it takes, `~30m`.",
)


@strawberry.type(description="A part of the text that is not in the title.")
class QuickAddSpan:
    start: int = strawberry.field(description="Where it begins, in code points from 0.")
    end: int = strawberry.field(description="Where it has ended, in code points.")
    kind: SpanKind = strawberry.field(description="What it was read as.")
    text: str = strawberry.field(
        description="What it says.", metadata=field_cost(size=4 * MAX_TEXT_LENGTH)
    )


@strawberry.type(description="When the task comes again, with the fields of `RecurrenceInput`.")
class QuickAddRecurrence:
    rrule: str = strawberry.field(description="The rule by RFC 5545.")
    timezone: str = strawberry.field(description="The zone in which the text was read.")
    anchor: RecurrenceAnchor = strawberry.field(description="What the next one is counted from.")
    month_end: MonthEnd = strawberry.field(
        description="What happens in months that lack a day of the rule."
    )
    missed: MissedPolicy = strawberry.field(
        description="What happens to occurrences that have passed when one is closed."
    )
    ex_dates: list[date] = strawberry.field(description="Always empty: no words leave days out.")


@strawberry.type(
    description=(
        "A text as quick add reads it. What is in no span is in the title; what the text does not"
        " say is null or empty."
    )
)
class QuickAdd:
    title: str = strawberry.field(
        description=f"The title: what is left of the text, at most {MAX_TITLE_LENGTH} characters.",
        metadata=field_cost(size=4 * MAX_TITLE_LENGTH),
    )
    due_at: datetime | None = strawberry.field(
        description="When it is due, if the text has a time of day."
    )
    due_on: date | None = strawberry.field(
        description="The local day on which it is due, if the text has no time of day."
    )
    recurrence: QuickAddRecurrence | None = strawberry.field(
        description="When it comes again; the first time is `dueAt` or `dueOn`."
    )
    tags: list[str] = strawberry.field(
        description="The tags, each once.", metadata=field_cost(size=4 * MAX_TEXT_LENGTH)
    )
    priority: TaskPriority | None = strawberry.field(description="The priority.")
    project_id: strawberry.ID | None = strawberry.field(
        description="The id of the viewer's project of that name."
    )
    duration_minutes: int | None = strawberry.field(description="How many minutes it takes.")
    spans: list[QuickAddSpan] = strawberry.field(
        description="The parts of the text that are not in the title, in order.",
        metadata=field_cost(LOADED, items=30),
    )
    ambiguities: list[str] = strawberry.field(
        description=(
            "What could have been read otherwise, in words: `“12/11” read as Friday, 11 December"
            " 2026.`"
        ),
        metadata=field_cost(size=8 * MAX_TEXT_LENGTH),
    )


@strawberry.type(description="The new task, and how the text was read.")
class QuickAddPayload:
    task: strawberry.Private[TaskModel]
    quick_add: strawberry.Private[model.QuickAdd]

    @strawberry.field(name="task", graphql_type=Task, description="The task after the write.")
    def task_field(self) -> TaskModel:
        return self.task

    @strawberry.field(name="quickAdd", graphql_type=QuickAdd, description="What was read, and how.")
    def quick_add_field(self) -> model.QuickAdd:
        return self.quick_add
