"""GraphQL query and mutations of plans."""

from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.plans.inputs import PlanApplyInput, PlanInput, PlanUndoInput, options
from graphql_api.api.graphql.plans.payloads import PlanApplyPayload, PlanUndoPayload
from graphql_api.api.graphql.plans.types import Plan
from graphql_api.api.graphql.strawberry_extras import provided


@strawberry.type
class PlanQuery:
    @strawberry.field(
        description=(
            "Plan the viewer's open tasks within the working hours of the settings, without"
            " writing anything. Equal input gives equal plans."
        ),
        metadata=field_cost(expensive=True) | needs(Scope.PLAN_READ, confined=True),
    )
    def plan_preview(
        self,
        info: Info,
        input: Annotated[PlanInput, strawberry.argument(description="The input of the plan.")],
    ) -> Plan:
        context, viewer = info.context, info.context.viewer_id
        settings = context.settings_of(viewer)
        draft = context.plans.preview(viewer, settings, options(input), context.now)
        context.track((*draft.selection.planned, *draft.selection.unestimated))
        return Plan(draft=draft)


@strawberry.type
class PlanMutation:
    @strawberry.mutation(
        description=(
            "Apply a previewed plan: set `plannedStart` and `plannedEnd` of its tasks, and clear"
            " them on tasks that could not be planned. Applying it again changes nothing."
        ),
        metadata=field_cost(expensive=True) | needs(Scope.PLAN_WRITE, confined=True),
    )
    def plan_apply(
        self,
        info: Info,
        input: Annotated[PlanApplyInput, strawberry.argument(description="The plan to apply.")],
    ) -> PlanApplyPayload:
        context, viewer = info.context, info.context.viewer_id
        given, settings = options(input), context.settings_of(viewer)
        plan_id, now = input.input_hash, context.now
        outcome = context.plans.apply(
            *(viewer, settings, given, plan_id, input.seen, context.actor, now),
            idempotency_key=provided(vars(input)).get("idempotency_key"),
        )
        return PlanApplyPayload(outcome=outcome)

    @strawberry.mutation(
        description="Undo an applied plan: restore the planned times that its tasks had before.",
        metadata=field_cost(expensive=True) | needs(Scope.PLAN_WRITE, confined=True),
    )
    def plan_undo(
        self,
        info: Info,
        input: Annotated[PlanUndoInput, strawberry.argument(description="The plan to undo.")],
    ) -> PlanUndoPayload:
        context = info.context
        outcome = context.plans.undo(context.viewer_id, input.plan_id, context.actor, context.now)
        return PlanUndoPayload(outcome=outcome)
