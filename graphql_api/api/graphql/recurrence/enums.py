"""The enums of recurrence with their GraphQL descriptions: import them from here."""

from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.recurrence.model import (
    Adjustment,
    MonthEnd,
    OccurrenceStatus,
    RecurrenceAnchor,
)

__all__ = ["Adjustment", "MonthEnd", "OccurrenceStatus", "RecurrenceAnchor"]

describe_enum(
    Adjustment,
    "Why an occurrence is not exactly where its rule says.",
    GAP="The clock leaves this time out: it is later by the length of the gap.",
    OVERLAP="The clock shows this time twice: it is the first one.",
    MONTH_END="The month lacks this day: it is the last one.",
)
describe_enum(
    MonthEnd,
    "What happens in months that lack a day of the rule, such as the 31st.",
    LAST_VALID_DAY="It is on the last day of the month.",
    SKIP="It does not come in that month, as in RFC 5545.",
)
describe_enum(
    OccurrenceStatus,
    "What has become of an occurrence.",
    UPCOMING="It is still to come.",
)
describe_enum(
    RecurrenceAnchor,
    "What the next occurrence is counted from.",
    SCHEDULED="The rule's own days, whenever a task is done.",
    COMPLETION="The day on which the one before was done.",
)
