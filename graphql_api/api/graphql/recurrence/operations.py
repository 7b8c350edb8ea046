"""GraphQL query of recurrence."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.recurrence.inputs import (
    CompleteTaskInput,
    EndSeriesInput,
    RecurrenceInput,
    SkipOccurrenceInput,
    UpdateSeriesInput,
    with_recurrence,
)
from graphql_api.api.graphql.recurrence.payloads import CompleteTaskPayload, SeriesPayload
from graphql_api.api.graphql.recurrence.types import Occurrence, Series
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.domain.recurrence import model
from graphql_api.domain.recurrence.occurrences import DEFAULT_PREVIEW, MAX_PREVIEW, preview
from graphql_api.domain.series.model import Series as SeriesModel
from graphql_api.domain.series.store import series_not_found
from graphql_api.domain.tasks.service import Update

_WORK = 2_000  # plain fields: a rule that comes rarely, over a hundred years


@strawberry.type
class RecurrenceQuery:
    @strawberry.field(
        graphql_type=list[Occurrence],
        description=(
            "When something would come again, from its first due date or due day on, which the"
            " rule must have. Nothing is written. A rule that counts from completion is shown as if"
            " each occurrence was done on its day. It looks a hundred years ahead."
        ),
        metadata=field_cost(items=MAX_PREVIEW, work=_WORK) | needs(Scope.TASKS_READ, confined=True),
    )
    def recurrence_preview(
        self,
        info: Info,
        input: Annotated[RecurrenceInput, strawberry.argument(description="The recurrence.")],
        due_at: Annotated[
            datetime | None,
            strawberry.argument(description="The first due date; or else `dueOn`."),
        ] = UNSET,
        due_on: Annotated[
            date | None, strawberry.argument(description="The first day, without a time of day.")
        ] = UNSET,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"How many occurrences: 1 to {MAX_PREVIEW}."),
        ] = DEFAULT_PREVIEW,
    ) -> list[model.Occurrence]:
        context = info.context
        recurrence = input.value(context.settings_of(context.viewer_id).timezone)
        return preview(recurrence, due_at or None, due_on or None, first)

    @strawberry.field(
        graphql_type=Series | None,
        description="One of the viewer's series. If there is none of this id: null, and NOT_FOUND.",
        metadata=needs(Scope.TASKS_READ),
    )
    def series(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The series' id.")],
    ) -> SeriesModel:
        found = info.context.series_by_key.get((info.context.viewer_id, id))
        if found is None:
            raise series_not_found()
        return found


@strawberry.type
class RecurrenceMutation:
    @strawberry.mutation(
        description=(
            "Complete an open task. If it is the current occurrence of a series, the next one"
            " becomes current in the same instant, once, whoever else does the same."
        ),
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def complete_task(
        self,
        info: Info,
        input: Annotated[CompleteTaskInput, strawberry.argument(description="The task.")],
    ) -> CompleteTaskPayload:
        context = info.context.for_write()
        fields, now = provided(vars(input)), context.now
        return _closed(
            context, context.tasks.complete(context.viewer_id, fields, context.actor, now)
        )

    @strawberry.mutation(
        description=(
            "Skip the current occurrence of a series: its task is cancelled, the next made."
        ),
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def skip_occurrence(
        self,
        info: Info,
        input: Annotated[SkipOccurrenceInput, strawberry.argument(description="The occurrence.")],
    ) -> CompleteTaskPayload:
        context = info.context.for_write()
        fields, now = provided(vars(input)), context.now
        return _closed(context, context.tasks.skip(context.viewer_id, fields, context.actor, now))

    @strawberry.mutation(
        description="Change when a series comes; the current occurrence stays as it is.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def update_series(
        self,
        info: Info,
        input: Annotated[UpdateSeriesInput, strawberry.argument(description="The change.")],
    ) -> SeriesPayload:
        context = info.context.for_write()
        fields = with_recurrence(provided(vars(input)), context)
        return _changed(context, **fields)

    @strawberry.mutation(
        description="End a series: the current occurrence stays, and none comes after it.",
        metadata=needs(Scope.TASKS_WRITE),
    )
    def end_series(
        self,
        info: Info,
        input: Annotated[EndSeriesInput, strawberry.argument(description="The series.")],
    ) -> SeriesPayload:
        context = info.context.for_write()
        return _changed(context, **provided(vars(input)))


def _closed(context: Context, update: Update) -> CompleteTaskPayload:
    context.track([task for task in (update.task, update.next) if task])
    return CompleteTaskPayload(task=update.task, next=update.next)


def _changed(
    context: Context,
    id: str,
    recurrence: model.Recurrence | None = None,
    expected_version: int | None = None,
) -> SeriesPayload:
    changed = context.succession.change(
        context.viewer_id, id, recurrence, expected_version, context.actor, context.now
    )
    return SeriesPayload(series=changed)
