"""The enums of calendars with their GraphQL descriptions: import them from here."""

from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.busy_calendars.model import AllDay
from graphql_api.domain.calendars.model import FeedContent, FeedDetail

__all__ = ["AllDay", "FeedContent", "FeedDetail"]

describe_enum(
    AllDay,
    "What events on whole days of a busy calendar mean.",
    IGNORE="They take no time: birthdays, holidays of others.",
    BUSY="Nothing is planned on these days.",
)
describe_enum(
    FeedContent,
    "A kind of events of a calendar feed.",
    BLOCKS="The planned blocks, as times that are busy.",
    DUE="The open tasks that are due, at their time or on their whole day, as times that are free.",
)
describe_enum(
    FeedDetail,
    "How much a calendar feed tells.",
    FULL="Titles and descriptions.",
    BUSY="Times alone: each event is called `Busy` or `Due`.",
)
