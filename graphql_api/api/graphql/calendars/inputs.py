"""The input types of calendars."""

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.calendars.enums import FeedContent, FeedDetail
from graphql_api.api.graphql.strawberry_extras import bounds_metadata
from graphql_api.domain.calendars.model import MAX_NAME_LENGTH


@strawberry.input(description="A new calendar feed.")
class CreateCalendarFeedInput:
    name: str = strawberry.field(
        description=f"The calendar's name, of 1 to {MAX_NAME_LENGTH} characters.",
        metadata=bounds_metadata((1, MAX_NAME_LENGTH)),
    )
    content: list[FeedContent] = strawberry.field(description="What is in it.")
    detail: FeedDetail | None = strawberry.field(
        default=UNSET, description="How much it tells. Default: `FULL`."
    )


@strawberry.input(description="The calendar feed to delete.")
class DeleteCalendarFeedInput:
    id: strawberry.ID = strawberry.field(description="The feed's id.")
