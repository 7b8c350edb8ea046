"""GraphQL query of recurrence."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.recurrence.inputs import RecurrenceInput
from graphql_api.api.graphql.recurrence.types import Occurrence
from graphql_api.domain.recurrence import model
from graphql_api.domain.recurrence.occurrences import DEFAULT_PREVIEW, MAX_PREVIEW, preview

_WORK = 2_000  # plain fields: a rule that comes rarely, over a hundred years


@strawberry.type
class RecurrenceQuery:
    @strawberry.field(
        graphql_type=list[Occurrence],
        description=(
            "When something would come again, from its first due date or due day on, which the"
            " rule must have. Nothing is written. A rule that counts from completion is shown as if"
            " each occurrence was done on its day. It looks a hundred years ahead."
        ),
        metadata=field_cost(items=MAX_PREVIEW, work=_WORK),
    )
    def recurrence_preview(
        self,
        info: Info,
        input: Annotated[RecurrenceInput, strawberry.argument(description="The recurrence.")],
        due_at: Annotated[
            datetime | None,
            strawberry.argument(description="The first due date; or else `dueOn`."),
        ] = UNSET,
        due_on: Annotated[
            date | None, strawberry.argument(description="The first day, without a time of day.")
        ] = UNSET,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"How many occurrences: 1 to {MAX_PREVIEW}."),
        ] = DEFAULT_PREVIEW,
    ) -> list[model.Occurrence]:
        context = info.context
        recurrence = input.value(context.settings_of(context.viewer_id).timezone)
        return preview(recurrence, due_at or None, due_on or None, first)
