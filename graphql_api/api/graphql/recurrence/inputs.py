"""The inputs of recurrence."""

from datetime import date

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.recurrence.enums import MonthEnd, RecurrenceAnchor
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.domain.recurrence import model, rules


@strawberry.input(description="When something comes again.")
class RecurrenceInput:
    rrule: str = strawberry.field(
        description=(
            "A rule by RFC 5545, such as `FREQ=MONTHLY;BYDAY=-1FR`: daily or slower, at most"
            f" {rules.MAX_RULE_LENGTH} characters. The time of day is that of the due date."
        )
    )
    timezone: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The IANA time zone whose clock and calendar the rule goes by. Default: that of the"
            " settings."
        ),
    )
    anchor: RecurrenceAnchor | None = strawberry.field(
        default=RecurrenceAnchor.SCHEDULED,
        description=(
            "What the next occurrence is counted from. A rule that counts from completion has"
            " no BY parts."
        ),
    )
    month_end: MonthEnd | None = strawberry.field(
        default=MonthEnd.LAST_VALID_DAY,
        description="What happens in months that lack a day of the rule.",
    )
    ex_dates: list[date] | None = strawberry.field(
        default=UNSET,
        description=f"Local days on which it does not come, at most {model.MAX_EX_DATES}.",
    )

    def value(self, timezone: str) -> model.Recurrence:
        """The recurrence as the domain has it, by default in this zone. Raises BadUserInput."""
        given = {name: each for name, each in provided(vars(self)).items() if each is not None}
        return model.Recurrence.checked(**{"timezone": timezone, **given})
