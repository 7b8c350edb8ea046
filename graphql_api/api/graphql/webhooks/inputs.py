"""The input types of the webhook operations."""

from typing import Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.context import Context
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.inputs import TaskFilter
from graphql_api.api.graphql.webhooks.enums import ChangeKind, WebhookStatus
from graphql_api.domain.tasks import filters
from graphql_api.domain.webhooks.model import MAX_WEBHOOKS
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.infra.outgoing.client import MAX_URL

_URL = (
    f"An https URL of at most {MAX_URL:,} characters, of a host on the public Internet. A redirect"
    " is not followed."
)
_FILTER = "Only changes of tasks that match, or have matched before the change."
_VIEW = "The id of a saved view, whose filter is taken as it is now."


def _values(given: Any) -> dict[str, Any]:
    """The provided fields, with the filter as the domain has it. Raises BadUserInput."""
    fields = provided(vars(given))
    if fields.get("filter") is not None:
        fields["filter"] = _lasting(given.filter.conditions())
    return fields


def filtered(values: dict[str, Any], context: Context) -> dict[str, Any]:
    """Values of a webhook with the filter of the view that they name. Raises as `usable` does."""
    fields = dict(values)
    view_id = fields.pop("view_id", None)
    if view_id is None:
        return fields
    if fields.get("filter") is not None:
        raise BadUserInput(f"{FIELD} goes without filter.", "view_id")
    return {**fields, "filter": _lasting(context.views.usable(context.viewer_id, view_id).filter)}


def _lasting(filter: filters.TaskFilter) -> filters.TaskFilter:
    """The filter, if a webhook can have it. Raises BadUserInput."""
    if filter.inner or filter.asks_timezone:
        raise BadUserInput(
            "The filter of a webhook has neither and, or, not nor days from today.", "filter"
        )
    return filter


@strawberry.input(description=f"A new webhook, of which a user may have {MAX_WEBHOOKS}.")
class CreateWebhookInput:
    url: str = strawberry.field(description=_URL)
    kinds: list[ChangeKind] | None = strawberry.field(
        default=UNSET, description="The kinds of changes to tell; default: all there are now."
    )
    filter: TaskFilter | None = strawberry.field(default=UNSET, description=_FILTER)
    view_id: strawberry.ID | None = strawberry.field(default=UNSET, description=_VIEW)

    def values(self) -> dict[str, Any]:
        """The values of the new webhook."""
        fields = _values(self)
        if fields.get("kinds") is None:
            fields["kinds"] = tuple(ChangeKind)
        return fields


@strawberry.input
class _WebhookWrite:
    id: strawberry.ID = strawberry.field(description="The webhook's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that it must have; it is a CONFLICT if it has another one.",
    )


@strawberry.input(description="A change of a webhook. Absent fields stay as they are.")
class UpdateWebhookInput(_WebhookWrite):
    url: str | None = strawberry.field(default=UNSET, description=_URL)
    kinds: list[ChangeKind] | None = strawberry.field(
        default=UNSET, description="The kinds of changes to tell."
    )
    filter: TaskFilter | None = strawberry.field(
        default=UNSET, description=f"{_FILTER} null: of all tasks."
    )
    view_id: strawberry.ID | None = strawberry.field(default=UNSET, description=_VIEW)
    status: WebhookStatus | None = strawberry.field(
        default=UNSET,
        description="`ENABLED` goes on where the webhook was disabled, as far as changes are kept.",
    )

    def values(self) -> dict[str, Any]:
        """The change."""
        return _values(self)


@strawberry.input(description="The webhook to delete.")
class DeleteWebhookInput(_WebhookWrite):
    pass


@strawberry.input(description="The webhook to give a new secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="The webhook's id.")


@strawberry.input(description="The webhook to test.")
class SendTestEventInput:
    webhook_id: strawberry.ID = strawberry.field(description="The webhook's id.")


@strawberry.input(description="The delivery to make again.")
class RedeliverInput:
    delivery_id: strawberry.ID = strawberry.field(description="The delivery's id.")
