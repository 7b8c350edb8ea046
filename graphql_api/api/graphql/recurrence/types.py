"""The GraphQL types of recurrence."""

from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.connection import Connection, Listing
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, LOADED, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.recurrence.enums import (
    Adjustment,
    MissedPolicy,
    MonthEnd,
    OccurrenceStatus,
    RecurrenceAnchor,
)
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, Window
from graphql_api.domain.recurrence import model, words
from graphql_api.domain.series.model import Record
from graphql_api.domain.series.model import Series as SeriesModel
from graphql_api.domain.tasks.model import Task as TaskModel
from graphql_api.errors import FIELD, BadUserInput

if TYPE_CHECKING:
    from graphql_api.api.graphql.tasks.types import Task

DEFAULT_UPCOMING, MAX_UPCOMING = 5, 100
_UPCOMING_WORK = 500  # plain fields, for a rule that comes rarely


@strawberry.type(description="One time that something comes.")
class Occurrence:
    on: date = strawberry.field(description="Its day, by the calendar of the rule's time zone.")
    at: datetime | None = strawberry.field(
        description="Its instant; null for one that is a whole day."
    )
    task_id: strawberry.ID | None = strawberry.field(
        description="The id of its task; null for one that is to come or was missed."
    )
    status: OccurrenceStatus = strawberry.field(description="What has become of it.")
    adjusted_for: Adjustment | None = strawberry.field(
        description="Why it is not exactly where the rule says; null if it is."
    )
    closed_at: datetime | None = strawberry.field(
        description="When it was done, skipped or found to be missed; null for one to come."
    )
    closed_by: str | None = strawberry.field(
        description="Who closed it: the name of the actor; null for one to come."
    )


@strawberry.type(description="A page of occurrences, the latest first.")
class OccurrenceConnection(Connection[Occurrence]):
    pass


def _rrule(series: strawberry.Parent[SeriesModel]) -> str:
    return series.recurrence.rrule


def _timezone(series: strawberry.Parent[SeriesModel]) -> str:
    return series.recurrence.timezone


def _anchor(series: strawberry.Parent[SeriesModel]) -> RecurrenceAnchor:
    return series.recurrence.anchor


def _month_end(series: strawberry.Parent[SeriesModel]) -> MonthEnd:
    return series.recurrence.month_end


def _missed(series: strawberry.Parent[SeriesModel]) -> MissedPolicy:
    return series.recurrence.missed


def _ex_dates(series: strawberry.Parent[SeriesModel]) -> list[date]:
    return list(series.recurrence.ex_dates)


def _streak(series: strawberry.Parent[SeriesModel]) -> int:
    return series.tally.streak


def _rate(series: strawberry.Parent[SeriesModel]) -> float | None:
    return series.tally.rate


def _text(series: strawberry.Parent[SeriesModel]) -> str:
    return words.text(series.recurrence, series.begin_day)


@strawberry.type(description="A task that comes again: each occurrence is a task of its own.")
class Series(Node):
    series_id: strawberry.ID = strawberry.field(name="id", description="The series' id.")
    rrule: str = strawberry.field(resolver=_rrule, description="The rule by RFC 5545.")
    timezone: str = strawberry.field(
        resolver=_timezone, description="The IANA time zone whose clock the rule goes by."
    )
    anchor: RecurrenceAnchor = strawberry.field(
        resolver=_anchor, description="What the next occurrence is counted from."
    )
    month_end: MonthEnd = strawberry.field(
        resolver=_month_end, description="What happens in months that lack a day of the rule."
    )
    missed: MissedPolicy = strawberry.field(
        resolver=_missed,
        description="What happens to occurrences that have passed when the current one is closed.",
    )
    ex_dates: list[date] = strawberry.field(
        resolver=_ex_dates, description="The local days on which it does not come."
    )
    text: str = strawberry.field(
        resolver=_text,
        description="The recurrence in English: `every last Friday of the month at 17:00`.",
        metadata=field_cost(size=1_000),
    )
    streak: int = strawberry.field(
        resolver=_streak,
        description=(
            "How many occurrences were done in a row until now: one that was skipped neither counts"
            " nor ends it, one that was missed ends it."
        ),
    )
    rate: float | None = strawberry.field(
        resolver=_rate,
        description=(
            "The share of occurrences done among those done and missed, from 0 to 1; null without"
            " any."
        ),
    )
    zone_data: str = strawberry.field(
        description=(
            "The version of the time zone data by which the current occurrence has its instant,"
            " such as `2025b`."
        )
    )
    version: int = strawberry.field(
        description="1 for a new series, one more after each change, also of what is current."
    )
    ended_at: datetime | None = strawberry.field(
        description="When it ended; null while there is a current occurrence."
    )

    @strawberry.field(
        graphql_type=Annotated["Task", strawberry.lazy("graphql_api.api.graphql.tasks.types")]
        | None,
        description="The task that is the current occurrence; null after the end.",
    )
    def current(series: strawberry.Parent[SeriesModel], info: Info) -> TaskModel | None:  # noqa: N805 - the parent is the model's series
        if series.ended_at:
            return None
        return info.context.tasks_by_key.get((series.user_id, series.current.task_id))

    @strawberry.field(
        graphql_type=list[Occurrence],
        description=(
            "What comes after the current occurrence. A series that counts from completion is"
            " shown as if each occurrence was done on its day."
        ),
        metadata=field_cost(LOADED, items=MAX_UPCOMING, work=_UPCOMING_WORK),
    )
    def upcoming(
        series: strawberry.Parent[SeriesModel],  # noqa: N805 - as `current`
        first: Annotated[
            int, strawberry.argument(description=f"How many occurrences: 1 to {MAX_UPCOMING}.")
        ] = DEFAULT_UPCOMING,
    ) -> list[model.Occurrence]:
        if not 1 <= first <= MAX_UPCOMING:
            raise BadUserInput(f"{FIELD} must be from 1 to {MAX_UPCOMING}.", "first")
        return list(islice(series.upcoming(), first))

    @strawberry.field(
        graphql_type=OccurrenceConnection,
        description="What has been: done, skipped and missed occurrences, the latest first.",
        metadata=field_cost(LIST),
    )
    def occurrences(
        series: strawberry.Parent[SeriesModel],  # noqa: N805 - as `current`
        info: Info,
        first: Annotated[
            int, strawberry.argument(description=f"How many occurrences: 1 to {MAX_PAGE_SIZE}.")
        ] = DEFAULT_PAGE_SIZE,
        after: Annotated[
            str | None, strawberry.argument(description="The `endCursor` of the page before.")
        ] = UNSET,
    ) -> Listing[Record]:
        context = info.context
        window = Window.of(first, after or None, max_size=context.max_page_size)
        scope = f"occurrences of {series.user_id} {series.series_id}"
        place = context.cursors.open_window(window, scope)
        found = context.past_occurrences(series, place or "", window.size + 1)
        page = Page.of(
            found[: window.size],
            lambda record: record.key,
            window,
            has_cursor=place is not None,
            has_more=len(found) > window.size,
        )
        context.spend_rows(len(page.items))
        count = partial(context.count_past_occurrences, series)
        return Listing(page, context.cursors, scope, count)
