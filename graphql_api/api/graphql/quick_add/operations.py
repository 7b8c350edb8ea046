"""GraphQL operations of quick add."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.quick_add.inputs import NOW, TEXT, TIMEZONE, QuickAddInput
from graphql_api.api.graphql.quick_add.types import QuickAdd, QuickAddPayload
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.domain.quick_add import model

_WORK = 50  # plain fields


@strawberry.type
class QuickAddQuery:
    @strawberry.field(
        graphql_type=QuickAdd,
        description=(
            "What quick add would make of a text in English or German. Nothing is written. Dates"
            " are read at the end or at the beginning of the text; quotes protect."
        ),
        metadata=field_cost(work=_WORK) | needs(Scope.TASKS_READ, confined=True),
    )
    def quick_add_preview(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description=TEXT)],
        timezone: Annotated[str | None, strawberry.argument(description=TIMEZONE)] = UNSET,
        now: Annotated[datetime | None, strawberry.argument(description=NOW)] = UNSET,
    ) -> model.QuickAdd:
        context = info.context
        return context.quick_adds.read(
            context.viewer_id, text, timezone or None, now or context.now
        )


@strawberry.type
class QuickAddMutation:
    @strawberry.mutation(
        description="Create a task from one line of text, as `quickAddPreview` shows it.",
        metadata=field_cost(work=_WORK) | needs(Scope.TASKS_WRITE, confined=True),
    )
    def quick_add(
        self,
        info: Info,
        input: Annotated[QuickAddInput, strawberry.argument(description="The text.")],
    ) -> QuickAddPayload:
        context = info.context.for_write()
        given = provided(vars(input))
        task, read = context.quick_adds.add(
            context.viewer_id, actor=context.actor, now=context.now, **given
        )
        return QuickAddPayload(task=task, quick_add=read)
