"""The inputs of recurrence."""

from datetime import date
from typing import Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.context import Context
from graphql_api.api.graphql.recurrence.enums import (
    ChildFate,
    MissedPolicy,
    MonthEnd,
    RecurrenceAnchor,
)
from graphql_api.api.graphql.strawberry_extras import idempotency_key, provided
from graphql_api.domain.recurrence import model, rules
from graphql_api.domain.series.model import RECURRENCE
from graphql_api.errors import below


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
    missed: MissedPolicy | None = strawberry.field(
        default=MissedPolicy.KEEP_ONE,
        description="What happens to occurrences that have passed when the current one is closed.",
    )
    ex_dates: list[date] | None = strawberry.field(
        default=UNSET,
        description=f"Local days on which it does not come, at most {model.MAX_EX_DATES}.",
    )

    def value(self, timezone: str) -> model.Recurrence:
        """The recurrence as the domain has it, by default in this zone. Raises BadUserInput."""
        given = {name: each for name, each in provided(vars(self)).items() if each is not None}
        return model.Recurrence.checked(**{"timezone": timezone, **given})


def with_recurrence(values: dict[str, Any], context: Context) -> dict[str, Any]:
    """Fields of a task, with a recurrence as the domain has it. Raises BadUserInput."""
    given = values.get(RECURRENCE)
    if given is None:
        return values
    with below(RECURRENCE, only=model.PARTS):
        zone = given.timezone or context.settings_of(context.viewer_id).timezone
        return {**values, RECURRENCE: given.value(zone)}


@strawberry.input(description="The task to complete.")
class CompleteTaskInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the task must have; it is a CONFLICT if it has another one.",
    )
    force: bool | None = strawberry.field(
        default=UNSET,
        description="Complete the task even if it has open blockers, which is a CONFLICT else.",
    )
    children: ChildFate | None = strawberry.field(
        default=UNSET,
        description=(
            "What becomes of open tasks below it. Without this, those directly below are a CONFLICT"
            " that names them as `subtasks`."
        ),
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The occurrence to skip.")
class SkipOccurrenceInput:
    id: strawberry.ID = strawberry.field(description="The id of the task that is current.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the task must have; it is a CONFLICT if it has another one.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A change of a series.")
class UpdateSeriesInput:
    id: strawberry.ID = strawberry.field(description="The series' id.")
    recurrence: RecurrenceInput = strawberry.field(
        description=(
            "The whole recurrence that holds after the current occurrence, which stays as it is."
            " Another rule, zone or anchor begins with the current one, from which `COUNT` counts."
        )
    )
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the series must have; it is a CONFLICT else.",
    )


@strawberry.input(description="The series to end.")
class EndSeriesInput:
    id: strawberry.ID = strawberry.field(description="The series' id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the series must have; it is a CONFLICT else.",
    )
