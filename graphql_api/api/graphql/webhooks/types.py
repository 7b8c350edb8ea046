"""GraphQL types of webhooks and their deliveries."""

from datetime import datetime

import strawberry

from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.costs import field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.tasks.conditions import TaskConditions
from graphql_api.api.graphql.webhooks.enums import ChangeKind, DeliveryStatus, WebhookStatus
from graphql_api.domain.tasks import filters
from graphql_api.domain.webhooks import model
from graphql_api.infra.outgoing.client import MAX_URL


def _filter(webhook: strawberry.Parent[model.Webhook]) -> filters.TaskFilter | None:
    return None if webhook.filter == filters.TaskFilter() else webhook.filter


def _reason(webhook: strawberry.Parent[model.Webhook]) -> str | None:
    return webhook.disabled_reason or None


def _error(delivery: strawberry.Parent[model.Delivery]) -> str | None:
    return delivery.error or None


@strawberry.type(description="A URL to which changes are posted, as Standard Webhooks says.")
class Webhook(Node):
    webhook_id: strawberry.ID = strawberry.field(name="id", description="The webhook's id.")
    url: str = strawberry.field(
        description="The URL that is posted to.", metadata=field_cost(size=MAX_URL)
    )
    kinds: list[ChangeKind] = strawberry.field(description="The kinds of changes that are told.")
    filter: filters.TaskFilter | None = strawberry.field(
        resolver=_filter,
        graphql_type=TaskConditions | None,
        description="Only changes of tasks that match, or have matched before the change.",
    )
    status: WebhookStatus = strawberry.field(description="Whether changes are delivered.")
    disabled_reason: str | None = strawberry.field(
        resolver=_reason, description="Why nothing is delivered; null while it is enabled."
    )
    created_at: datetime = strawberry.field(description="When the webhook was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="1 for a new webhook, one more after each change.")


@strawberry.type(description="A message to a webhook, and what has become of it.")
class Delivery(Node):
    delivery_id: strawberry.ID = strawberry.field(
        name="id", description="The delivery's id; those of a webhook sort by time."
    )
    webhook_id: strawberry.ID = strawberry.field(description="The webhook's id.")
    message_id: strawberry.ID = strawberry.field(
        description="The header `webhook-id`: the id of the change, the same at each try."
    )
    kind: ChangeKind | None = strawberry.field(
        description="The kind of the change; null for a test event."
    )
    task_id: strawberry.ID | None = strawberry.field(
        description="The id of the task; null for a test event."
    )
    status: DeliveryStatus = strawberry.field(description="What has become of it.")
    attempts: int = strawberry.field(description="The number of tries.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_try_at: datetime | None = strawberry.field(description="When it was last tried.")
    next_try_at: datetime | None = strawberry.field(
        description="When it is tried next, unless an earlier one of its task is in its way."
    )
    response_status: int | None = strawberry.field(
        description="The HTTP status of the last answer; null if there was none."
    )
    error: str | None = strawberry.field(
        resolver=_error, description="Why the last try has failed.", metadata=field_cost(size=400)
    )


@strawberry.type(name="DeliveryConnection", description="A page of deliveries, newest first.")
class DeliveryConnection(Connection[Delivery]):
    pass


@strawberry.type(description="A webhook after a change.")
class WebhookPayload:
    webhook: strawberry.Private[model.Webhook]
    secret: str | None = strawberry.field(
        default=None, description="The secret that signs, where it is new: it is shown this once."
    )

    @strawberry.field(name="webhook", graphql_type=Webhook, description="The webhook.")
    def webhook_field(self) -> model.Webhook:
        return self.webhook


@strawberry.type(description="The result of deleting a webhook.")
class DeleteWebhookPayload:
    deleted_webhook_id: strawberry.ID = strawberry.field(
        description="The id of the deleted webhook."
    )


@strawberry.type(description="A delivery that was asked for.")
class DeliveryPayload:
    delivery: strawberry.Private[model.Delivery]

    @strawberry.field(
        name="delivery", graphql_type=Delivery, description="The delivery, which is made at once."
    )
    def delivery_field(self) -> model.Delivery:
        return self.delivery
