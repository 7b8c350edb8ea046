"""GraphQL types and mutation of settings."""

from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.strawberry_extras import describe_enum, provided
from graphql_api.domain.planner.model import MAX_SCHEDULES
from graphql_api.domain.settings import model
from graphql_api.domain.tasks import urgency
from graphql_api.domain.tasks.model import MAX_SCHEDULE_LENGTH

describe_enum(
    model.Weekday,
    "A day of the week.",
    **{day.name: f"{day.name.capitalize()}." for day in model.Weekday},
)

describe_enum(
    model.DateOrder,
    "The order of day and month in a date of numbers.",
    DAY_FIRST="12/11 is 12 November.",
    MONTH_FIRST="12/11 is 11 December.",
)


@strawberry.type(description="An interval of local time.")
class LocalInterval:
    start: time = strawberry.field(description="The start of the interval.")
    end: time = strawberry.field(
        description="The end of the interval; on the next day unless it is after the start."
    )


@strawberry.type(description="The working hours of a weekday.")
class WorkingDay:
    day: model.Weekday = strawberry.field(description="The weekday.")
    intervals: list[LocalInterval] = strawberry.field(
        description="The intervals that begin on this day, in order; the gaps are breaks.",
        metadata=field_cost(LOADED),
    )


_TAGS = (
    "Tags: a task with one of them is planned in these hours, unless it or its project names a"
    " schedule. The first schedule counts that has a tag of the task."
)
_PROJECTS = (
    "Ids of projects: their tasks are planned in these hours, unless they name a schedule"
    " themselves."
)


@strawberry.type(description="Named hours, in which tasks are planned that name them.")
class Schedule:
    name: str = strawberry.field(description="The name, by which tasks refer to it.")
    working_hours: list[WorkingDay] = strawberry.field(
        description="The days with hours, from Monday on.", metadata=field_cost(LOADED)
    )

    @strawberry.field(description=_TAGS)
    def tags(schedule: strawberry.Parent[model.Schedule], info: Info) -> list[str]:  # noqa: N805 - the parent is the model's schedule
        return info.context.identity.confinement.tags_among(schedule.tags)

    @strawberry.field(graphql_type=list[strawberry.ID], description=_PROJECTS)
    def project_ids(schedule: strawberry.Parent[model.Schedule], info: Info) -> list[str]:  # noqa: N805 - the parent is the model's schedule
        return info.context.identity.confinement.projects_among(schedule.project_ids)


MEANINGS: Mapping[str, str] = {
    "next": "The task has the tag `next`.",
    "due": "Grows evenly from 0.2, two weeks or more before the due date, to 1, a week after it.",
    "priority_urgent": "The priority is `URGENT`.",
    "blocking": "The task blocks an open task.",
    "priority_high": "The priority is `HIGH`.",
    "scheduled": "`plannedStart` has passed or, without one, `notBefore`.",
    "active": "The status is `IN_PROGRESS`.",
    "priority_medium": "The priority is `MEDIUM`.",
    "age": "Grows evenly from 0 at creation to 1 a year later.",
    "priority_low": "The priority is `LOW`.",
    "tags": "0.8 with one tag, 0.9 with two, 1 with more.",
    "inherited": (
        "The difference to the most urgent open task that it blocks, if that is more urgent, plus"
        " 0.01."
    ),
    "waiting": "`notBefore` has not passed.",
    "blocked": "The task has open blockers.",
}


def _description(name: str) -> str:
    return f"Default {getattr(urgency.DEFAULTS, name):g}. {MEANINGS[name]}"


def _coefficient(name: str) -> Any:
    return strawberry.field(description=_description(name))


def _coefficient_change(name: str) -> Any:
    return strawberry.field(default=UNSET, description=_description(name))


@strawberry.type(
    description="The weight of each urgency term, which is multiplied by a value from 0 to 1."
)
class UrgencyCoefficients:
    next: float = _coefficient("next")
    due: float = _coefficient("due")
    priority_urgent: float = _coefficient("priority_urgent")
    blocking: float = _coefficient("blocking")
    priority_high: float = _coefficient("priority_high")
    scheduled: float = _coefficient("scheduled")
    active: float = _coefficient("active")
    priority_medium: float = _coefficient("priority_medium")
    age: float = _coefficient("age")
    priority_low: float = _coefficient("priority_low")
    tags: float = _coefficient("tags")
    inherited: float = _coefficient("inherited")
    waiting: float = _coefficient("waiting")
    blocked: float = _coefficient("blocked")


@strawberry.input(
    description=(
        f"A change of coefficients, from {-urgency.MAX_COEFFICIENT:g} to"
        f" {urgency.MAX_COEFFICIENT:g}: an absent one keeps its value, null restores its default."
    )
)
class UrgencyCoefficientsInput:
    next: float | None = _coefficient_change("next")
    due: float | None = _coefficient_change("due")
    priority_urgent: float | None = _coefficient_change("priority_urgent")
    blocking: float | None = _coefficient_change("blocking")
    priority_high: float | None = _coefficient_change("priority_high")
    scheduled: float | None = _coefficient_change("scheduled")
    active: float | None = _coefficient_change("active")
    priority_medium: float | None = _coefficient_change("priority_medium")
    age: float | None = _coefficient_change("age")
    priority_low: float | None = _coefficient_change("priority_low")
    tags: float | None = _coefficient_change("tags")
    inherited: float | None = _coefficient_change("inherited")
    waiting: float | None = _coefficient_change("waiting")
    blocked: float | None = _coefficient_change("blocked")


_AFTER = "Minutes that stay free between two blocks. Default 0."
_AROUND = "Minutes that stay free before and after each busy time. Default 0."
_SLACK = (
    "Percent of the free time of each day that stay free, unless a task would be late or left out"
    " for it. Default 20."
)
_LIMIT = (
    "Minutes of work that a day has at most, unless a task would be late or left out for it."
    " Default 480; 1440 is no limit."
)
_BREAK = "Minutes between two pieces of a task that has `maxChunkMinutes`. Default 15."


@strawberry.type(description="The time that plans leave free.")
class Buffers:
    after_block: int = strawberry.field(description=_AFTER)
    around_busy: int = strawberry.field(description=_AROUND)
    daily_slack_percent: int = strawberry.field(description=_SLACK)
    max_minutes_per_day: int = strawberry.field(description=_LIMIT)
    break_minutes: int = strawberry.field(description=_BREAK)


@strawberry.input(
    description=(
        "A change of the time that plans leave free: an absent field keeps its value, null restores"
        " its default."
    )
)
class BuffersInput:
    after_block: int | None = strawberry.field(default=UNSET, description=_AFTER)
    around_busy: int | None = strawberry.field(default=UNSET, description=_AROUND)
    daily_slack_percent: int | None = strawberry.field(default=UNSET, description=_SLACK)
    max_minutes_per_day: int | None = strawberry.field(default=UNSET, description=_LIMIT)
    break_minutes: int | None = strawberry.field(default=UNSET, description=_BREAK)


@strawberry.type(
    description=(
        "A user's time zone, working hours, days off, urgency coefficients, and how dates are read."
    )
)
class Settings:
    timezone: str = strawberry.field(
        description=(
            "The IANA time zone of the working hours, days off and due days. Default `UTC`."
        )
    )
    working_hours: list[WorkingDay] = strawberry.field(
        description=(
            "The days with working hours, from Monday on. Default Monday to Friday,"
            " 09:00 to 12:00 and 13:00 to 17:00."
        ),
        metadata=field_cost(LOADED),
    )
    days_off: list[date] = strawberry.field(
        description="The dates on which no working hours begin, in order."
    )
    urgency_coefficients: UrgencyCoefficients = strawberry.field(
        description="The weight of each urgency term."
    )
    buffers: Buffers = strawberry.field(description="The time that plans leave free.")
    schedules: list[Schedule] = strawberry.field(
        description=(
            "Named hours beside the working hours, which may overlap them and each other. A task"
            " that names one is planned in its hours."
        ),
        metadata=field_cost(LOADED),
    )
    date_order: model.DateOrder = strawberry.field(
        description="How quick add reads a date such as 12/11. Default `MONTH_FIRST`."
    )
    first_weekday: model.Weekday = strawberry.field(
        description="The day on which next week begins, for quick add. Default `MONDAY`."
    )


@strawberry.input(description="An interval of local time.")
class LocalIntervalInput:
    start: time = strawberry.field(description="The start of the interval.")
    end: time = strawberry.field(
        description="The end of the interval; on the next day unless it is after the start."
    )


@strawberry.input(description="The working hours of a weekday.")
class WorkingDayInput:
    day: model.Weekday = strawberry.field(description="The weekday.")
    intervals: list[LocalIntervalInput] = strawberry.field(
        description=f"All intervals that begin on this day, at most {model.MAX_INTERVALS}."
    )

    def hours(self) -> model.WorkingDay:
        """Convert to the model's type."""
        hours = tuple(model.LocalInterval(**vars(interval)) for interval in self.intervals)
        return model.WorkingDay(self.day, hours)


@strawberry.input(description="Named hours, in which tasks are planned that name them.")
class ScheduleInput:
    name: str = strawberry.field(
        description=f"The name: 1 to {MAX_SCHEDULE_LENGTH} characters that no other one has."
    )
    working_hours: list[WorkingDayInput] = strawberry.field(
        description="The whole week: a day that is not listed is free."
    )
    tags: list[str] = strawberry.field(default_factory=list, description=_TAGS)
    project_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description=_PROJECTS)

    def schedule(self) -> model.Schedule:
        """Convert to the model's type."""
        hours = tuple(day.hours() for day in self.working_hours)
        return model.Schedule(self.name, hours, tuple(self.tags), tuple(self.project_ids))


@strawberry.input(
    description="A change of settings: an absent field keeps its value, null restores its default."
)
class UpdateSettingsInput:
    timezone: str | None = strawberry.field(
        default=UNSET, description="An IANA time zone, such as `Europe/Berlin`."
    )
    working_hours: list[WorkingDayInput] | None = strawberry.field(
        default=UNSET, description="The whole week: a day that is not listed is free."
    )
    days_off: list[date] | None = strawberry.field(
        default=UNSET, description=f"All days off, at most {model.MAX_DAYS_OFF}."
    )
    urgency_coefficients: UrgencyCoefficientsInput | None = strawberry.field(
        default=UNSET, description="The weight of each urgency term."
    )
    buffers: BuffersInput | None = strawberry.field(
        default=UNSET, description="The time that plans leave free."
    )
    schedules: list[ScheduleInput] | None = strawberry.field(
        default=UNSET, description=f"All schedules, at most {MAX_SCHEDULES}."
    )
    date_order: model.DateOrder | None = strawberry.field(
        default=UNSET, description="How quick add reads a date such as 12/11."
    )
    first_weekday: model.Weekday | None = strawberry.field(
        default=UNSET, description="The day on which next week begins, for quick add."
    )

    def changes(self) -> dict[str, Any]:
        """Return the provided fields, converted to the model's types."""
        fields = provided(vars(self))
        if self.working_hours:
            fields["working_hours"] = tuple(day.hours() for day in self.working_hours)
        if self.urgency_coefficients:
            fields["urgency_coefficients"] = provided(vars(self.urgency_coefficients))
        if self.schedules:
            fields["schedules"] = tuple(each.schedule() for each in self.schedules)
        if self.buffers:
            fields["buffers"] = provided(vars(self.buffers))
        return fields


@strawberry.type(description="The changed settings.")
class SettingsPayload:
    settings: strawberry.Private[model.Settings]

    @strawberry.field(
        name="settings", graphql_type=Settings, description="The settings after the change."
    )
    def resolve_settings(self) -> model.Settings:
        return self.settings


@strawberry.type
class SettingsMutation:
    @strawberry.mutation(
        description="Change the viewer's settings.", metadata=needs(Scope.PLAN_WRITE)
    )
    def update_settings(
        self,
        info: Info,
        input: Annotated[UpdateSettingsInput, strawberry.argument(description="The change.")],
    ) -> SettingsPayload:
        context = info.context
        changed = context.user_settings.update(context.viewer_id, input.changes(), context.now)
        context.settings.prime({changed.user_id: changed})
        return SettingsPayload(settings=changed)
