"""The enums of recurrence with their GraphQL descriptions: import them from here."""

from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.recurrence.model import (
    Adjustment,
    MissedPolicy,
    MonthEnd,
    OccurrenceStatus,
    RecurrenceAnchor,
)
from graphql_api.domain.subtasks.model import ChildFate

__all__ = [
    "Adjustment",
    "ChildFate",
    "MissedPolicy",
    "MonthEnd",
    "OccurrenceStatus",
    "RecurrenceAnchor",
]

describe_enum(
    ChildFate,
    "What becomes of the open tasks below one that is completed.",
    COMPLETE="They are completed before it.",
    KEEP="They stay open.",
)
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
    DONE="Its task was completed.",
    SKIPPED="It was skipped, or its task was cancelled.",
    MISSED="It had passed when an earlier one was closed, and got no task.",
)
describe_enum(
    RecurrenceAnchor,
    "What the next occurrence is counted from.",
    SCHEDULED="The rule's own days, whenever a task is done.",
    COMPLETION="The day on which the one before was done.",
)
describe_enum(
    MissedPolicy,
    "What happens to occurrences that have passed when the current one is closed.",
    KEEP_ONE="The latest of them is next, and the others are missed.",
    KEEP_ALL="Each of them comes, one after the other.",
    SKIP="All of them are missed: next is the first one to come.",
)
