"""A filter that is kept, as its owner sees it."""

from datetime import datetime
from typing import Optional

import strawberry

from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.tasks.enums import TaskPriority, TaskStatus
from graphql_api.domain.tasks.filters import (
    MAX_IDS,
    MAX_PROJECT_IDS,
    MAX_SEARCH_LENGTH,
)
from graphql_api.domain.tasks.model import MAX_TAG_LENGTH, MAX_TAGS
from graphql_api.domain.tasks.store import MAX_ID_LENGTH

_INNER = field_cost(LOADED, items=2)  # on each level: all together have few conditions


@strawberry.type(description="The conditions of a kept `TaskFilter`; null where it has none.")
class TaskConditions:
    status: list[TaskStatus] | None = strawberry.field(description="The status is one of these.")
    priority: list[TaskPriority] | None = strawberry.field(
        description="The priority is one of these."
    )
    tags: list[str] | None = strawberry.field(
        description="The task has one of these tags.",
        metadata=field_cost(size=4 * MAX_TAGS * MAX_TAG_LENGTH),
    )
    due_before: datetime | None = strawberry.field(
        description="The due date is before this instant."
    )
    due_after: datetime | None = strawberry.field(
        description="The due date is at this instant or later."
    )
    search: str | None = strawberry.field(
        description="Each word is in the title, the description or a tag.",
        metadata=field_cost(size=4 * MAX_SEARCH_LENGTH),
    )
    ready: bool | None = strawberry.field(description="The task can be begun now, or not.")
    ids: list[strawberry.ID] | None = strawberry.field(
        description="The id is one of these.", metadata=field_cost(size=MAX_IDS * MAX_ID_LENGTH)
    )
    tags_all: list[str] | None = strawberry.field(
        description="The task has all of these tags.",
        metadata=field_cost(size=4 * MAX_TAGS * MAX_TAG_LENGTH),
    )
    no_tags: bool | None = strawberry.field(description="The task has no tags, or some.")
    overdue: bool | None = strawberry.field(
        description="The task is open and its due date has passed, or not."
    )
    no_due: bool | None = strawberry.field(description="The task has no due date, or one.")
    due_within_days: int | None = strawberry.field(
        description="The due date is from now to the end of the day so many days after today."
    )
    created_before: datetime | None = strawberry.field(
        description="The task was created before this instant."
    )
    created_after: datetime | None = strawberry.field(
        description="The task was created at this instant or later."
    )
    updated_before: datetime | None = strawberry.field(
        description="It was last changed before this instant."
    )
    updated_after: datetime | None = strawberry.field(
        description="It was last changed at this instant or later."
    )
    completed_before: datetime | None = strawberry.field(
        description="It was completed before this instant."
    )
    completed_after: datetime | None = strawberry.field(
        description="It was completed at this instant or later."
    )
    planned_before: datetime | None = strawberry.field(
        description="`plannedStart` is before this instant."
    )
    planned_after: datetime | None = strawberry.field(
        description="`plannedStart` is at this instant or later."
    )
    project_ids: list[strawberry.ID] | None = strawberry.field(
        description="The task is in one of these projects.",
        metadata=field_cost(size=MAX_PROJECT_IDS * MAX_ID_LENGTH),
    )
    no_project: bool | None = strawberry.field(description="The task is in no project, or in any.")
    parent_id: strawberry.ID | None = strawberry.field(
        description="The task is directly below this one."
    )
    no_parent: bool | None = strawberry.field(description="The task is below no other, or is.")
    and_: list["TaskConditions"] | None = strawberry.field(
        name="and", description="All of these match.", metadata=_INNER
    )
    or_: list["TaskConditions"] | None = strawberry.field(
        name="or", description="One of these matches.", metadata=_INNER
    )
    not_: Optional["TaskConditions"] = strawberry.field(
        name="not", description="This does not match."
    )
