"""The webhook queries and mutations."""

from functools import partial
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.connection import Listing
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.webhooks.inputs import (
    CreateWebhookInput,
    DeleteWebhookInput,
    RedeliverInput,
    RotateWebhookSecretInput,
    SendTestEventInput,
    UpdateWebhookInput,
    filtered,
)
from graphql_api.api.graphql.webhooks.types import (
    DeleteWebhookPayload,
    DeliveryConnection,
    DeliveryPayload,
    Webhook,
    WebhookPayload,
)
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, Window
from graphql_api.domain.webhooks import model


@strawberry.type
class WebhookQuery:
    @strawberry.field(
        graphql_type=list[Webhook],
        description="The viewer's webhooks, the oldest first.",
        metadata=field_cost(LIST, items=model.MAX_WEBHOOKS) | needs(Scope.WEBHOOKS),
    )
    def webhooks(self, info: Info) -> list[model.Webhook]:
        return info.context.webhooks.all(info.context.viewer_id)

    @strawberry.field(
        graphql_type=Webhook | None,
        description="One of the viewer's webhooks. If there is none of this id: null, NOT_FOUND.",
        metadata=needs(Scope.WEBHOOKS),
    )
    def webhook(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The webhook's id.")],
    ) -> model.Webhook:
        return info.context.webhooks.get(info.context.viewer_id, id)

    @strawberry.field(
        graphql_type=DeliveryConnection,
        description=(
            f"The deliveries of a webhook of the last {model.KEPT_FOR.days} days, the newest first."
        ),
        metadata=field_cost(LIST) | needs(Scope.WEBHOOKS),
    )
    def webhook_deliveries(
        self,
        info: Info,
        webhook_id: Annotated[strawberry.ID, strawberry.argument(description="The webhook's id.")],
        first: Annotated[
            int, strawberry.argument(description=f"How many deliveries: 1 to {MAX_PAGE_SIZE}.")
        ] = DEFAULT_PAGE_SIZE,
        after: Annotated[
            str | None, strawberry.argument(description="The `endCursor` of the page before.")
        ] = UNSET,
    ) -> Listing[model.Delivery]:
        context, viewer_id = info.context, info.context.viewer_id
        window = Window.of(first, after or None, max_size=context.max_page_size)
        scope = f"deliveries of {viewer_id} {webhook_id}"
        before = context.cursors.open_window(window, scope)
        webhooks, now = context.webhooks, context.now
        found = webhooks.deliveries(viewer_id, webhook_id, before, window.size + 1, now)
        page = Page.of(
            found[: window.size],
            _position,
            window,
            has_cursor=before is not None,
            has_more=len(found) > window.size,
        )
        context.spend_rows(len(page.items))
        count = partial(webhooks.count_deliveries, viewer_id, webhook_id, now)
        return Listing(page, context.cursors, scope, count)


def _position(delivery: model.Delivery) -> str:
    return delivery.own_id


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(
        description=(
            "Create a webhook, which gets changes from now on. The answer has its secret, once."
        ),
        metadata=needs(Scope.WEBHOOKS),
    )
    def create_webhook(
        self,
        info: Info,
        input: Annotated[CreateWebhookInput, strawberry.argument(description="The new webhook.")],
    ) -> WebhookPayload:
        context = info.context
        webhook = context.webhooks.create(
            context.viewer_id, filtered(input.values(), context), context.now
        )
        return WebhookPayload(webhook=webhook, secret=webhook.secret)

    @strawberry.mutation(
        description="Change a webhook, disable it, or enable it again.",
        metadata=needs(Scope.WEBHOOKS),
    )
    def update_webhook(
        self,
        info: Info,
        input: Annotated[UpdateWebhookInput, strawberry.argument(description="The change.")],
    ) -> WebhookPayload:
        context = info.context
        webhook = context.webhooks.update(
            context.viewer_id, filtered(input.values(), context), context.now
        )
        return WebhookPayload(webhook=webhook)

    @strawberry.mutation(
        description="Delete a webhook, and what it has not delivered yet.",
        metadata=needs(Scope.WEBHOOKS),
    )
    def delete_webhook(
        self,
        info: Info,
        input: Annotated[DeleteWebhookInput, strawberry.argument(description="The webhook.")],
    ) -> DeleteWebhookPayload:
        context, fields = info.context, provided(vars(input))
        deleted = context.webhooks.delete(context.viewer_id, **fields, now=context.now)
        return DeleteWebhookPayload(deleted_webhook_id=strawberry.ID(deleted))

    @strawberry.mutation(
        description=(
            "Give a webhook a new secret, which the answer has, once. The old one goes on to sign"
            " for 24 hours: both signatures are sent."
        ),
        metadata=needs(Scope.WEBHOOKS),
    )
    def rotate_webhook_secret(
        self,
        info: Info,
        input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="The webhook.")],
    ) -> WebhookPayload:
        context = info.context
        webhook = context.webhooks.rotate(context.viewer_id, input.id, context.now)
        return WebhookPayload(webhook=webhook, secret=webhook.secret)

    @strawberry.mutation(
        description="Have a test event sent to a webhook, once, also while it is disabled.",
        metadata=needs(Scope.WEBHOOKS),
    )
    def send_test_event(
        self,
        info: Info,
        input: Annotated[SendTestEventInput, strawberry.argument(description="The webhook.")],
    ) -> DeliveryPayload:
        context = info.context
        delivery = context.webhooks.send_test(context.viewer_id, input.webhook_id, context.now)
        return DeliveryPayload(delivery=delivery)

    @strawberry.mutation(
        description="Have a message delivered again, once, also while its webhook is disabled.",
        metadata=needs(Scope.WEBHOOKS),
    )
    def redeliver(
        self,
        info: Info,
        input: Annotated[RedeliverInput, strawberry.argument(description="The delivery.")],
    ) -> DeliveryPayload:
        context = info.context
        delivery = context.webhooks.redeliver(context.viewer_id, input.delivery_id, context.now)
        return DeliveryPayload(delivery=delivery)
