"""The input types of calendars."""

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.calendars.enums import AllDay, FeedContent, FeedDetail
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
    view_id: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description=(
            "The id of a saved view: only its tasks are in it, as the view is when it is read."
        ),
    )


@strawberry.input(description="The calendar feed to delete.")
class DeleteCalendarFeedInput:
    id: strawberry.ID = strawberry.field(description="The feed's id.")


@strawberry.input(description="A calendar whose events plans keep free: of a URL, or uploaded.")
class AddBusyCalendarInput:
    name: str = strawberry.field(
        description=f"Its name, of 1 to {MAX_NAME_LENGTH} characters.",
        metadata=bounds_metadata((1, MAX_NAME_LENGTH)),
    )
    url: str | None = strawberry.field(
        default=UNSET,
        description=(
            "Where it is read from, each hour: `https://…` or `webcal://…`, of a public address."
        ),
    )
    ics: str | None = strawberry.field(
        default=UNSET, description="Or its text by RFC 5545 (iCalendar)."
    )
    all_day: AllDay | None = strawberry.field(
        default=UNSET, description="What its events on whole days mean. Default: `IGNORE`."
    )
    replaces_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The id of a calendar that is removed in the same step."
    )


@strawberry.input(description="A busy calendar.")
class BusyCalendarInput:
    id: strawberry.ID = strawberry.field(description="The calendar's id.")
