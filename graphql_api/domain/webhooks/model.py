"""Webhooks, their deliveries, and when these are tried again. Pure.

The format is that of Standard Webhooks (https://www.standardwebhooks.com).
"""

import base64
from collections.abc import Collection
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from graphql_api import clock, ids
from graphql_api.domain.changes.model import Change, ChangeKind, Position
from graphql_api.domain.records import immutable
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.filters import TaskFilter, Viewpoint
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import FIELD, BadUserInput

MAX_WEBHOOKS = 10  # of a user
SECRET_BYTES = 24
OVERLAP = timedelta(hours=24)  # for which a secret that was replaced goes on to sign
MAX_SECRETS = 5  # that sign at a time
KEPT_FOR = timedelta(days=7)  # for which finished deliveries are listed

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000)
)
"""The pauses between the tries of a delivery: ten tries within three days."""
JITTER = 0.2  # of a pause, by which it is longer or shorter at random

GONE = 410


class WebhookStatus(Enum):
    """State of a webhook: changes are delivered, or not."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryStatus(Enum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@immutable
class OldSecret:
    """A secret that was replaced, and until when it goes on to sign."""

    secret: str = field(repr=False)
    until: datetime


@immutable
class Webhook:
    """A user's wish to have changes posted to a URL: of these kinds, of tasks that match.

    `position` is the place in the feed up to which all changes have their deliveries; those before
    `since` are none of its business. `version` counts what the user has changed.
    """

    user_id: str
    webhook_id: str
    url: str
    kinds: tuple[ChangeKind, ...]
    filter: TaskFilter
    status: WebhookStatus
    disabled_reason: str  # empty while it is enabled
    secret: str = field(repr=False)
    old_secrets: tuple[OldSecret, ...]
    created_at: datetime
    updated_at: datetime
    version: int
    since: str
    position: str
    succeeded_at: datetime | None = None  # at least within the hour

    @classmethod
    def new(
        cls,
        user_id: str,
        *,
        url: str,
        kinds: Collection[ChangeKind],
        filter: TaskFilter,
        secret: str,
        now: datetime,
    ) -> "Webhook":
        """A webhook that tells of changes from now on. Raises BadUserInput."""
        at = clock.milliseconds(now)
        return cls(
            user_id=user_id,
            webhook_id=ids.new_id(now),
            url=url,
            kinds=_distinct(kinds),
            filter=filter,
            status=WebhookStatus.ENABLED,
            disabled_reason="",
            secret=secret,
            old_secrets=(),
            created_at=at,
            updated_at=at,
            version=1,
            since=ids.first_id(now),
            position=str(Position.end(now)),
        )

    @property
    def enabled(self) -> bool:
        """True while changes are delivered."""
        return self.status is WebhookStatus.ENABLED

    def edit(self, changes: dict[str, Any], now: datetime) -> "Webhook":
        """The webhook with other fields; itself if nothing differs. Raises BadUserInput."""
        fields = dict(changes)
        if "kinds" in fields:
            fields["kinds"] = _distinct(fields["kinds"])
        if "status" in fields:
            disabled = fields["status"] is WebhookStatus.DISABLED
            fields["disabled_reason"] = (
                self.disabled_reason or "Disabled by its user." if disabled else ""
            )
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return self._changed(now, **fields)

    def rotate(self, secret: str, now: datetime) -> "Webhook":
        """The webhook with a new secret; the one before goes on to sign for OVERLAP."""
        old = OldSecret(secret=self.secret, until=clock.milliseconds(now + OVERLAP))
        kept = [each for each in self.old_secrets if each.until > now]
        return self._changed(now, secret=secret, old_secrets=(old, *kept)[: MAX_SECRETS - 1])

    def disable(self, reason: str, now: datetime) -> "Webhook":
        """The webhook as it is after its receiver has failed it."""
        return self._changed(now, status=WebhookStatus.DISABLED, disabled_reason=reason)

    def _changed(self, now: datetime, **fields: Any) -> "Webhook":
        at = clock.milliseconds(now)
        return replace(self, **fields, updated_at=at, version=self.version + 1)

    def secrets(self, now: datetime) -> list[str]:
        """All secrets that sign at this instant, the newest first."""
        return [self.secret, *(old.secret for old in self.old_secrets if old.until > now)]

    def wants(self, change: Change, task: Task | None, at: Viewpoint) -> bool:
        """Return whether to tell of a change of a task, which is None if it is gone.

        A filter holds if it matches the task as it is now, or as it was before the change: so a
        receiver learns, too, that a task has left what it looks at. Of a task that is gone by now
        an earlier change is told in any case.
        """
        if change.kind not in self.kinds or change.change_id < self.since:
            return False
        if self.filter == TaskFilter():
            return True
        states = writes.states(change, task)
        return not states or any(self.filter.matches(state, at) for state in states)


def _distinct(kinds: Collection[ChangeKind]) -> tuple[ChangeKind, ...]:
    if not kinds:
        raise BadUserInput(f"{FIELD} must have at least one kind of change.", "kinds")
    return tuple(dict.fromkeys(kinds))


def new_secret(random: bytes) -> str:
    """The text of a secret as Standard Webhooks has it."""
    return "whsec_" + base64.b64encode(random).decode()


@immutable
class Delivery:
    """A message to a webhook, and what has become of it.

    `message_id` is the header `webhook-id`: the change's id, the same at each try and at each
    redelivery. `queue` names the task whose messages are delivered one after the other. Who asks
    for a delivery (`on_request`) gets one try, at once, though the webhook may be disabled.
    """

    user_id: str
    webhook_id: str
    delivery_id: str
    message_id: str
    kind: ChangeKind | None  # None: a test
    task_id: str | None
    body: str
    status: DeliveryStatus
    created_at: datetime
    attempts: int
    next_try_at: datetime | None
    last_try_at: datetime | None = None
    response_status: int | None = None
    error: str = ""
    on_request: bool = False

    @classmethod
    def of_change(cls, webhook: Webhook, change: Change, body: str, now: datetime) -> "Delivery":
        """The delivery of a change, one for each change and webhook."""
        return cls(
            user_id=webhook.user_id,
            webhook_id=webhook.webhook_id,
            delivery_id=f"{webhook.webhook_id}_{change.change_id}",
            message_id=change.change_id,
            kind=change.kind,
            task_id=change.task_id,
            body=body,
            status=DeliveryStatus.PENDING,
            created_at=clock.milliseconds(now),
            attempts=0,
            next_try_at=clock.milliseconds(now),
        )

    @classmethod
    def of_test(cls, webhook: Webhook, body: str, now: datetime) -> "Delivery":
        """A delivery that tells of nothing."""
        message_id = ids.new_id(now)
        return cls(
            user_id=webhook.user_id,
            webhook_id=webhook.webhook_id,
            delivery_id=f"{webhook.webhook_id}_{message_id}",
            message_id=message_id,
            kind=None,
            task_id=None,
            body=body,
            status=DeliveryStatus.PENDING,
            created_at=clock.milliseconds(now),
            attempts=0,
            next_try_at=clock.milliseconds(now),
            on_request=True,
        )

    def again(self, now: datetime) -> "Delivery":
        """Another delivery of the same message, on request."""
        return replace(
            self,
            delivery_id=f"{self.webhook_id}_{ids.new_id(now)}",
            status=DeliveryStatus.PENDING,
            created_at=clock.milliseconds(now),
            attempts=0,
            next_try_at=clock.milliseconds(now),
            last_try_at=None,
            response_status=None,
            error="",
            on_request=True,
        )

    @property
    def queue(self) -> str:
        """The name of the queue in which it waits for its turn, within its webhook."""
        return self.delivery_id if self.on_request or self.task_id is None else self.task_id

    @property
    def own_id(self) -> str:
        """The part of its id that tells it from others of its webhook, and sorts by time."""
        return self.delivery_id.partition("_")[2]

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time for the next try."""
        return self.next_try_at is not None and self.next_try_at <= now

    def begun(self, now: datetime, lease: timedelta) -> "Delivery":
        """The delivery during a try, after whose lease another process may try it, too."""
        at = clock.milliseconds(now)
        return replace(self, attempts=self.attempts + 1, last_try_at=at, next_try_at=at + lease)

    def delivered(self, response_status: int) -> "Delivery":
        """The delivery once it was accepted."""
        return replace(
            self,
            status=DeliveryStatus.DELIVERED,
            response_status=response_status,
            error="",
            next_try_at=None,
        )

    def failed(
        self,
        error: str,
        response_status: int | None,
        now: datetime,
        *,
        random: float,
        at_least: int = 0,
        final: bool = False,
    ) -> "Delivery":
        """The delivery after a try that has failed; `random` is from 0 to 1.

        It is tried again, not before `at_least` seconds, unless that was the last try or `final`.
        """
        told = replace(self, error=error, response_status=response_status)
        if final or self.on_request or self.attempts > len(RETRY_DELAYS):
            return replace(told, status=DeliveryStatus.FAILED, next_try_at=None)
        pause = RETRY_DELAYS[self.attempts - 1] * (1 + JITTER * (2 * random - 1))
        wait = max(pause, timedelta(seconds=min(at_least, 86_400)))
        return replace(told, next_try_at=clock.milliseconds(now + wait))
