"""The GraphQL types of calendars."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.calendars.enums import AllDay, FeedContent, FeedDetail
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.domain.busy_calendars.model import BusyCalendar as BusyCalendarModel
from graphql_api.domain.calendars import model
from graphql_api.infra.outgoing.client import MAX_URL


@strawberry.type(
    description=(
        "A calendar of the viewer's tasks, for calendar programs that subscribe to its address."
    )
)
class CalendarFeed(Node):
    feed_id: strawberry.ID = strawberry.field(name="id", description="The feed's id.")
    name: str = strawberry.field(description="The calendar's name.")
    content: list[FeedContent] = strawberry.field(description="What is in it.")
    detail: FeedDetail = strawberry.field(description="How much it tells.")
    view_id: strawberry.ID | None = strawberry.field(
        description="The id of the saved view whose tasks alone are in it; null: all tasks."
    )
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


@strawberry.type(description="A calendar whose events are times that plans keep free.")
class BusyCalendar(Node):
    calendar_id: strawberry.ID = strawberry.field(name="id", description="The calendar's id.")
    name: str = strawberry.field(description="Its name.")
    url: str | None = strawberry.field(
        description="Where it is read from; null for one that was uploaded.",
        metadata=field_cost(size=MAX_URL),
    )
    all_day: AllDay = strawberry.field(description="What its events on whole days mean.")
    refreshed_at: datetime | None = strawberry.field(
        description="When it was read last, successfully; null before the first time."
    )
    last_error: str | None = strawberry.field(
        description="Why it could not be read last; its times stay as they were. Null if it was.",
        metadata=field_cost(size=1_000),
    )
    times: int = strawberry.field(
        description="How many busy times it has, from a week ago to a year ahead, merged."
    )
    skipped: int = strawberry.field(
        description="How many of its events could not be read, and are not kept free."
    )
    created_at: datetime = strawberry.field(description="When it was added.")


@strawberry.type(description="A span of time that a busy calendar takes, and plans keep free.")
class BusyTime:
    calendar_id: strawberry.ID = strawberry.field(description="The calendar's id.")
    start: datetime = strawberry.field(description="When it begins.")
    end: datetime = strawberry.field(description="When it ends.")


@strawberry.type(description="The busy calendar after a change.")
class BusyCalendarPayload:
    busy_calendar: strawberry.Private[BusyCalendarModel]

    @strawberry.field(
        name="busyCalendar", graphql_type=BusyCalendar, description="The busy calendar."
    )
    def busy_calendar_field(self) -> BusyCalendarModel:
        return self.busy_calendar


@strawberry.type(description="The removed busy calendar.")
class RemoveBusyCalendarPayload:
    removed_calendar_id: strawberry.ID = strawberry.field(
        description="The id of the removed calendar."
    )
