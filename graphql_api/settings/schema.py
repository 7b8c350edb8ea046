"""Settings as GraphQL shows them."""

from datetime import date, time
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from graphql_api.arguments import given
from graphql_api.context import Info
from graphql_api.settings import model

strawberry.enum(model.Weekday, description="A day of the week.")
for _value in model.Weekday.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set by strawberry.enum
    _value.description = f"{_value.name.capitalize()}."


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


@strawberry.type(description="When a person works, by which clock.")
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

    def changes(self) -> dict[str, Any]:
        """The fields that are given, as the model knows them."""
        fields = given(vars(self))
        if self.working_hours:
            fields["working_hours"] = tuple(day.hours() for day in self.working_hours)
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
        context.settings.prime(changed.user_id, changed)
        return SettingsPayload(settings=changed)
