"""The GraphQL types of calendars."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.calendars.enums import FeedContent, FeedDetail
from graphql_api.domain.calendars import model


@strawberry.type(
    description=(
        "A calendar of the viewer's tasks, for calendar programs that subscribe to its address."
    )
)
class CalendarFeed:
    feed_id: strawberry.ID = strawberry.field(name="id", description="The feed's id.")
    name: str = strawberry.field(description="The calendar's name.")
    content: list[FeedContent] = strawberry.field(description="What is in it.")
    detail: FeedDetail = strawberry.field(description="How much it tells.")
    created_at: datetime = strawberry.field(description="When it was created.")


@strawberry.type(description="The new feed, and its address.")
class CalendarFeedPayload:
    feed: strawberry.Private[model.CalendarFeed]
    url: str = strawberry.field(
        description=(
            "The address of the calendar, which is shown this once. Whoever knows it can read the"
            " calendar, until the feed is deleted."
        )
    )

    @strawberry.field(name="feed", graphql_type=CalendarFeed, description="The feed.")
    def feed_field(self) -> model.CalendarFeed:
        return self.feed


@strawberry.type(description="The deleted feed.")
class DeleteCalendarFeedPayload:
    deleted_feed_id: strawberry.ID = strawberry.field(description="The id of the deleted feed.")
