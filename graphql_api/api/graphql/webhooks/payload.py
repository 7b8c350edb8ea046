"""The payloads of webhooks: thin, so that none is stale; the change's cursor leads to more."""

import json
from datetime import datetime
from typing import Any

from graphql_api import clock
from graphql_api.api.graphql.changes import sealed_position
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.domain.changes.model import Change, Position
from graphql_api.domain.webhooks.model import Webhook

TEST = "TEST"


class Payloads:
    """Renders payloads, with the names of GraphQL."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def of_change(self, change: Change, now: datetime) -> str:
        """The payload of a change."""
        cursor = sealed_position(self._cursors, change.user_id, Position.of(change, now))
        data = {
            "taskId": change.task_id,
            "version": change.version,
            "fields": list(map(camel_case, change.fields)),
            "cursor": cursor,
        }
        if change.late_seconds is not None:
            data["lateSeconds"] = change.late_seconds
        return _text(change.kind.name, change.at, data)

    def of_test(self, webhook: Webhook, now: datetime) -> str:
        """The payload of a test event."""
        return _text(TEST, now, {"webhookId": webhook.webhook_id})


def _text(kind: str, at: datetime, data: dict[str, Any]) -> str:
    payload = {"type": kind, "timestamp": clock.text(at), "data": data}
    return json.dumps(payload, separators=(",", ":"))
