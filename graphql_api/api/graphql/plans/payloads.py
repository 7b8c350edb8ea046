"""GraphQL payloads of plan mutations."""

import strawberry

from graphql_api.domain.plans.service import Outcome


@strawberry.type(description="What applying a plan did to its tasks.")
class PlanApplyPayload:
    outcome: strawberry.Private[Outcome]

    @strawberry.field(
        description=(
            "Id to undo the plan by, or to apply it again after an interruption: its `inputHash`."
        )
    )
    def plan_id(self) -> strawberry.ID:
        return strawberry.ID(self.outcome.plan_id)

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks whose `plannedStart` and `plannedEnd` were set.",
    )
    def applied(self) -> tuple[str, ...]:
        return self.outcome.written

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that had these planned times already.",
    )
    def unchanged(self) -> tuple[str, ...]:
        return self.outcome.unchanged

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that were changed meanwhile and stay as they are.",
    )
    def conflicts(self) -> tuple[str, ...]:
        return self.outcome.conflicts


@strawberry.type(description="What undoing a plan did to its tasks.")
class PlanUndoPayload:
    outcome: strawberry.Private[Outcome]

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that have their previous planned times again.",
    )
    def restored(self) -> tuple[str, ...]:
        return self.outcome.written

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that had nothing to restore.",
    )
    def unchanged(self) -> tuple[str, ...]:
        return self.outcome.unchanged

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that were changed since the plan was applied, and stay as they are.",
    )
    def skipped(self) -> tuple[str, ...]:
        return self.outcome.conflicts
