"""Settings as GraphQL shows them."""

from datetime import date, time
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.strawberry_extras import describe_enum, provided
from graphql_api.domain.settings import model
from graphql_api.domain.tasks import urgency

describe_enum(
    model.Weekday,
    "A day of the week.",
    **{day.name: f"{day.name.capitalize()}." for day in model.Weekday},
)


@strawberry.type(description="Hours of a day, by the clock on the wall.")
class LocalInterval:
    start: time = strawberry.field(description="When they begin.")
    end: time = strawberry.field(
        description="When they end: on the next day, unless it is after the start."
    )


@strawberry.type(description="When a person works on a weekday.")
class WorkingDay:
    day: model.Weekday = strawberry.field(description="The weekday.")
    intervals: list[LocalInterval] = strawberry.field(
        description="The hours that begin on it, in order; between them are breaks."
    )


def _meaning(name: str) -> str:
    return f"{getattr(urgency.DEFAULTS, name):g} until it is set. {urgency.MEANING[name]}"


def _shown(name: str) -> Any:
    return strawberry.field(description=_meaning(name))


def _provided(name: str) -> Any:
    return strawberry.field(default=UNSET, description=_meaning(name))


@strawberry.type(
    description="How much each reason counts for a task's urgency: it is multiplied by 0 to 1."
)
class UrgencyCoefficients:
    next: float = _shown("next")
    due: float = _shown("due")
    priority_urgent: float = _shown("priority_urgent")
    blocking: float = _shown("blocking")
    priority_high: float = _shown("priority_high")
    scheduled: float = _shown("scheduled")
    active: float = _shown("active")
    priority_medium: float = _shown("priority_medium")
    age: float = _shown("age")
    priority_low: float = _shown("priority_low")
    tags: float = _shown("tags")
    inherited: float = _shown("inherited")
    waiting: float = _shown("waiting")
    blocked: float = _shown("blocked")


@strawberry.input(
    description=(
        f"A change of coefficients, from {-urgency.LARGEST:g} to {urgency.LARGEST:g}: an absent"
        " one stays as it is, null gives its default."
    )
)
class UrgencyCoefficientsInput:
    next: float | None = _provided("next")
    due: float | None = _provided("due")
    priority_urgent: float | None = _provided("priority_urgent")
    blocking: float | None = _provided("blocking")
    priority_high: float | None = _provided("priority_high")
    scheduled: float | None = _provided("scheduled")
    active: float | None = _provided("active")
    priority_medium: float | None = _provided("priority_medium")
    age: float | None = _provided("age")
    priority_low: float | None = _provided("priority_low")
    tags: float | None = _provided("tags")
    inherited: float | None = _provided("inherited")
    waiting: float | None = _provided("waiting")
    blocked: float | None = _provided("blocked")


@strawberry.type(description="When a person works, by which clock, and what is urgent to them.")
class Settings:
    timezone: str = strawberry.field(
        description="The IANA time zone of the working hours and days off; UTC until it is set."
    )
    working_hours: list[WorkingDay] = strawberry.field(
        description=(
            "The days with working hours, from Monday on; until they are set, Monday to Friday"
            " from 09:00 to 12:00 and from 13:00 to 17:00."
        )
    )
    days_off: list[date] = strawberry.field(
        description="Days on which no working hours begin, in order."
    )
    urgency_coefficients: UrgencyCoefficients = strawberry.field(
        description="How much each reason counts for a task's urgency."
    )


@strawberry.input(description="Hours of a day, by the clock on the wall.")
class LocalIntervalInput:
    start: time = strawberry.field(description="When they begin.")
    end: time = strawberry.field(
        description="When they end: on the next day, unless it is after the start."
    )


@strawberry.input(description="When a person works on a weekday.")
class WorkingDayInput:
    day: model.Weekday = strawberry.field(description="The weekday.")
    intervals: list[LocalIntervalInput] = strawberry.field(
        description=f"All the hours that begin on it, at most {model.INTERVALS}, without overlaps."
    )

    def hours(self) -> model.WorkingDay:
        """The day as the model knows it."""
        hours = tuple(model.LocalInterval(**vars(interval)) for interval in self.intervals)
        return model.WorkingDay(self.day, hours)


@strawberry.input(
    description="A change of settings: an absent field stays as it is, null gives its default."
)
class UpdateSettingsInput:
    timezone: str | None = strawberry.field(
        default=UNSET, description="An IANA time zone, such as `Europe/Berlin`."
    )
    working_hours: list[WorkingDayInput] | None = strawberry.field(
        default=UNSET, description="The whole week: a day that is not given is free."
    )
    days_off: list[date] | None = strawberry.field(
        default=UNSET, description=f"All the days off, at most {model.DAYS_OFF}."
    )
    urgency_coefficients: UrgencyCoefficientsInput | None = strawberry.field(
        default=UNSET, description="How much each reason counts for a task's urgency."
    )

    def changes(self) -> dict[str, Any]:
        """The fields that are given, as the model knows them."""
        fields = provided(vars(self))
        if self.working_hours:
            fields["working_hours"] = tuple(day.hours() for day in self.working_hours)
        if self.urgency_coefficients:
            fields["urgency_coefficients"] = provided(vars(self.urgency_coefficients))
        return fields


@strawberry.type(description="What a change has made of the settings.")
class SettingsPayload:
    settings: strawberry.Private[model.Settings]

    @strawberry.field(
        name="settings", graphql_type=Settings, description="The settings as they are now."
    )
    def shown(self) -> model.Settings:
        return self.settings


@strawberry.type
class SettingsMutation:
    @strawberry.mutation(description="Change the viewer's settings.")
    def update_settings(
        self,
        info: Info,
        input: Annotated[UpdateSettingsInput, strawberry.argument(description="The change.")],
    ) -> SettingsPayload:
        context = info.context
        changed = context.user_settings.update(context.viewer, input.changes())
        context.settings.prime({changed.user_id: changed})
        return SettingsPayload(settings=changed)
