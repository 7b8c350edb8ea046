"""The enums of webhooks with their GraphQL descriptions: import them from here."""

import graphql_api.api.graphql.changes  # noqa: F401 - it describes ChangeKind
from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.webhooks.model import DeliveryStatus, WebhookStatus

__all__ = ["ChangeKind", "DeliveryStatus", "WebhookStatus"]

describe_enum(
    WebhookStatus,
    "Whether a webhook gets changes.",
    ENABLED="Changes are delivered.",
    DISABLED="Nothing is delivered; `disabledReason` says why.",
)
describe_enum(
    DeliveryStatus,
    "What has become of a delivery.",
    PENDING="It waits for its first or its next try.",
    DELIVERED="The receiver has answered with a status from 200 to 299.",
    FAILED="The last try has failed.",
)
