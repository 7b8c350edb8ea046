"""GraphQL operations on calendars."""

from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import SESSION, Scope, needs
from graphql_api.api.graphql.calendars.inputs import (
    CreateCalendarFeedInput,
    DeleteCalendarFeedInput,
)
from graphql_api.api.graphql.calendars.types import (
    CalendarFeed,
    CalendarFeedPayload,
    DeleteCalendarFeedPayload,
)
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.domain.calendars import model


@strawberry.type
class CalendarQuery:
    @strawberry.field(
        graphql_type=list[CalendarFeed],
        description="The viewer's calendar feeds, the oldest first.",
        metadata=field_cost(LOADED, items=model.MAX_FEEDS) | needs(Scope.CALENDAR_READ),
    )
    def calendar_feeds(self, info: Info) -> list[model.CalendarFeed]:
        return info.context.calendar_feeds.all(info.context.viewer_id)


@strawberry.type
class CalendarMutation:
    @strawberry.mutation(
        description=f"Create a calendar feed. A user may have {model.MAX_FEEDS} of them.",
        metadata=SESSION,  # its address is as good as a token
    )
    def create_calendar_feed(
        self,
        info: Info,
        input: Annotated[CreateCalendarFeedInput, strawberry.argument(description="The feed.")],
    ) -> CalendarFeedPayload:
        context = info.context
        feed, url = context.calendar_feeds.create(
            context.viewer_id, provided(vars(input)), context.now
        )
        return CalendarFeedPayload(feed=feed, url=url)

    @strawberry.mutation(
        description="Delete a calendar feed: its address leads nowhere then.", metadata=SESSION
    )
    def delete_calendar_feed(
        self,
        info: Info,
        input: Annotated[DeleteCalendarFeedInput, strawberry.argument(description="The feed.")],
    ) -> DeleteCalendarFeedPayload:
        deleted = info.context.calendar_feeds.delete(info.context.viewer_id, input.id)
        return DeleteCalendarFeedPayload(deleted_feed_id=strawberry.ID(deleted))
