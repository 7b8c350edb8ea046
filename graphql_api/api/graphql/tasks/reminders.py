"""The reminders of a task, and their input."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import bounds_metadata, describe_enum, provided
from graphql_api.domain.reminders import model
from graphql_api.domain.reminders.model import ReminderBase

describe_enum(
    ReminderBase,
    "The instant of a task before which it reminds.",
    DUE="The due date, `dueAt`, or the beginning of the due day, `dueOn`.",
    PLANNED_START="The planned start, `plannedStart`.",
)
_MINUTES = f"How many minutes before `from`: 0 to {model.MAX_MINUTES_BEFORE:,}."


@strawberry.type(
    description="A reminder: at an instant, or some minutes before an instant of the task."
)
class Reminder:
    at: datetime | None = strawberry.field(
        description="The instant; null for one that is given by minutes."
    )
    minutes_before: int | None = strawberry.field(
        description="How many minutes before `from`; null for one that is given by an instant."
    )
    base: ReminderBase | None = strawberry.field(
        name="from", description="The instant of the task that the minutes are before."
    )


@strawberry.input(
    description=(
        "A reminder: either `at` an instant, or `minutesBefore` another one, which the task must"
        " have. It has to be in the future."
    )
)
class ReminderInput:
    at: datetime | None = strawberry.field(default=UNSET, description="The instant.")
    minutes_before: int | None = strawberry.field(
        default=UNSET,
        description=_MINUTES,
        metadata=bounds_metadata((0, model.MAX_MINUTES_BEFORE)),
    )
    base: ReminderBase | None = strawberry.field(
        name="from",
        default=ReminderBase.DUE,
        description="The instant of the task that the minutes are before.",
    )

    def value(self) -> model.Reminder:
        """The reminder as the domain has it."""
        return model.Reminder(**provided(vars(self)))
