"""GraphQL operations of quick add."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.quick_add.types import QuickAdd
from graphql_api.domain.quick_add import model

TEXT = (
    f"The text, of 1 to {model.MAX_TEXT_LENGTH} characters: `Pay rent tomorrow 17:00 every month"
    " #home !high ~30m @flat`."
)
TIMEZONE = "The IANA time zone of its dates and times. Default: that of the settings."
NOW = "The instant at which the text is said. Default: the present one."
_WORK = 50  # plain fields


@strawberry.type
class QuickAddQuery:
    @strawberry.field(
        graphql_type=QuickAdd,
        description=(
            "What quick add would make of a text in English or German. Nothing is written. Dates"
            " are read at the end or at the beginning of the text; quotes protect."
        ),
        metadata=field_cost(work=_WORK),
    )
    def quick_add_preview(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description=TEXT)],
        timezone: Annotated[str | None, strawberry.argument(description=TIMEZONE)] = UNSET,
        now: Annotated[datetime | None, strawberry.argument(description=NOW)] = UNSET,
    ) -> model.QuickAdd:
        context = info.context
        return context.quick_adds.read(
            context.viewer_id, text, timezone or None, now or context.now
        )
