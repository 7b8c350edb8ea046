"""The GraphQL types of recurrence."""

from datetime import date, datetime

import strawberry

from graphql_api.api.graphql.recurrence.enums import Adjustment, OccurrenceStatus


@strawberry.type(description="One time that something comes.")
class Occurrence:
    on: date = strawberry.field(description="Its day, by the calendar of the rule's time zone.")
    at: datetime | None = strawberry.field(
        description="Its instant; null for one that is a whole day."
    )
    status: OccurrenceStatus = strawberry.field(description="What has become of it.")
    adjusted_for: Adjustment | None = strawberry.field(
        description="Why it is not exactly where the rule says; null if it is."
    )
