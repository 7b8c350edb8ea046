"""GraphQL operations on calendars."""

from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import SESSION, Scope, needs
from graphql_api.api.graphql.calendars.inputs import (
    AddBusyCalendarInput,
    BusyCalendarInput,
    CreateCalendarFeedInput,
    DeleteCalendarFeedInput,
)
from graphql_api.api.graphql.calendars.types import (
    BusyCalendar,
    BusyCalendarPayload,
    BusyTime,
    CalendarFeed,
    CalendarFeedPayload,
    DeleteCalendarFeedPayload,
    RemoveBusyCalendarPayload,
)
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, LOADED, field_cost
from graphql_api.api.graphql.strawberry_extras import RangeEnd, RangeStart, provided
from graphql_api.domain.busy_calendars import model as busy
from graphql_api.domain.calendars import model
from graphql_api.domain.paging import MAX_LISTED


@strawberry.type
class CalendarQuery:
    @strawberry.field(
        graphql_type=list[CalendarFeed],
        description="The viewer's calendar feeds, the oldest first.",
        metadata=field_cost(LOADED, items=model.MAX_FEEDS) | needs(Scope.CALENDAR_READ),
    )
    def calendar_feeds(self, info: Info) -> list[model.CalendarFeed]:
        return info.context.calendar_feeds.all(info.context.viewer_id)

    @strawberry.field(
        graphql_type=list[BusyCalendar],
        description="The viewer's busy calendars, the oldest first.",
        metadata=field_cost(LOADED, items=busy.MAX_CALENDARS) | needs(Scope.CALENDAR_READ),
    )
    def busy_calendars(self, info: Info) -> list[busy.BusyCalendar]:
        return info.context.busy_calendars.all(info.context.viewer_id)

    @strawberry.field(
        graphql_type=list[BusyTime],
        description=(
            "The times of the viewer's busy calendars that are, at least in part, between two"
            f" instants, by time: at most {MAX_LISTED:,} in at most {busy.DAYS} days."
        ),
        metadata=field_cost(LIST, items=MAX_LISTED) | needs(Scope.CALENDAR_READ),
    )
    def busy_times(
        self,
        info: Info,
        from_: RangeStart,
        to: RangeEnd,
        calendar_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of this calendar only.")
        ] = None,
    ) -> list[busy.BusyTime]:
        return info.context.busy_calendars.between(info.context.viewer_id, from_, to, calendar_id)


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

    @strawberry.mutation(
        description=(
            "Add a calendar whose events plans keep free. One that is uploaded is read at once, one"
            f" of a URL soon. A user may have {busy.MAX_CALENDARS} of them."
        ),
        metadata=field_cost(expensive=True) | needs(Scope.PLAN_WRITE),
    )
    def add_busy_calendar(
        self,
        info: Info,
        input: Annotated[AddBusyCalendarInput, strawberry.argument(description="The calendar.")],
    ) -> BusyCalendarPayload:
        context = info.context
        added = context.busy_calendars.add(context.viewer_id, provided(vars(input)), context.now)
        return BusyCalendarPayload(busy_calendar=added)

    @strawberry.mutation(
        description="Have a busy calendar read again, soon: `refreshedAt` tells when it was.",
        metadata=needs(Scope.PLAN_WRITE),
    )
    def refresh_busy_calendar(
        self,
        info: Info,
        input: Annotated[BusyCalendarInput, strawberry.argument(description="The calendar.")],
    ) -> BusyCalendarPayload:
        context = info.context
        due = context.busy_calendars.refresh(context.viewer_id, input.id, context.now)
        return BusyCalendarPayload(busy_calendar=due)

    @strawberry.mutation(
        description="Remove a busy calendar, with its times.", metadata=needs(Scope.PLAN_WRITE)
    )
    def remove_busy_calendar(
        self,
        info: Info,
        input: Annotated[BusyCalendarInput, strawberry.argument(description="The calendar.")],
    ) -> RemoveBusyCalendarPayload:
        removed = info.context.busy_calendars.remove(info.context.viewer_id, input.id)
        return RemoveBusyCalendarPayload(removed_calendar_id=strawberry.ID(removed))
