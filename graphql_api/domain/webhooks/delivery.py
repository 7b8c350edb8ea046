"""One try of a delivery: signed, posted, and what came of it stored."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from standardwebhooks import Webhook as Signer

from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.webhooks.model import GONE, Delivery, DeliveryStatus, Webhook
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.errors import NotFound
from graphql_api.infra.outgoing.client import Answer, Failed, OutgoingClient, Refused, TimedOut

LEASE = timedelta(seconds=20)  # of a try, after which another process may make the next one
SUCCESS_NOTED = timedelta(hours=1)  # at most so often
REDIRECTS = range(300, 400)
SUCCESSES = range(200, 300)

log = logging.getLogger(__name__)


class Deliverer:
    """Makes tries of deliveries."""

    def __init__(
        self,
        store: WebhookStore,
        client: OutgoingClient,
        now: Callable[[], datetime],
        random: Callable[[], float],
        agent: str,
    ) -> None:
        """`random` yields numbers from 0 to 1; `agent` is what the service calls itself."""
        self._store, self._client = store, client
        self._now, self._random, self._agent = now, random, agent

    def attempt(self, webhook: Webhook, delivery: Delivery) -> Delivery | None:
        """Make a try, and return what has become of the delivery; None if others make it.

        Raises TimedOut once that is stored, if the receiver has kept us waiting.
        """
        now = self._now()
        begun = delivery.begun(now, LEASE)
        if not self._store.begin(delivery, begun):
            return None
        timed_out: TimedOut | None = None
        try:
            answer = self._client.post(
                webhook.url, delivery.body.encode(), self._headers(webhook, delivery, now)
            )
        except TimedOut as error:
            timed_out = error
            after = self._failed(begun, str(error))
        except (Failed, Refused) as error:
            after = self._failed(begun, str(error))
        else:
            after = self._answered(begun, answer)
        if after.status is DeliveryStatus.PENDING:
            self._store.postpone(after)
            self._store.hasten(after.user_id, after.next_try_at or now)
        else:
            self._store.finish(after)
        self._look_after(webhook, after)
        if timed_out:
            raise timed_out
        return after

    def _headers(self, webhook: Webhook, delivery: Delivery, now: datetime) -> dict[str, str]:
        signatures = [
            Signer(secret).sign(delivery.message_id, now, delivery.body)
            for secret in webhook.secrets(now)
        ]
        return {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "webhook-id": delivery.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _answered(self, begun: Delivery, answer: Answer) -> Delivery:
        status = answer.status
        if status in SUCCESSES:
            return begun.delivered(status)
        error = "a redirect, which is not followed" if status in REDIRECTS else f"HTTP {status}"
        return self._failed(
            begun, error, status, at_least=answer.retry_after or 0, final=status == GONE
        )

    def _failed(
        self,
        begun: Delivery,
        error: str,
        status: int | None = None,
        *,
        at_least: int = 0,
        final: bool = False,
    ) -> Delivery:
        return begun.failed(
            error, status, self._now(), random=self._random(), at_least=at_least, final=final
        )

    def _look_after(self, webhook: Webhook, delivery: Delivery) -> None:
        """Store what a try says about the webhook itself."""
        now = self._now()
        if delivery.status is DeliveryStatus.DELIVERED:
            if webhook.succeeded_at is None or webhook.succeeded_at < now - SUCCESS_NOTED:
                self._store.note_success(webhook, now)
        elif delivery.response_status == GONE:
            self._disable(webhook, "Its receiver has answered 410: it is gone.")
        elif delivery.status is DeliveryStatus.FAILED and not delivery.on_request:
            since = delivery.created_at - SUCCESS_NOTED
            latest = self._latest(webhook)
            if latest and (latest.succeeded_at is None or latest.succeeded_at < since):
                self._disable(
                    webhook,
                    f"Nothing was accepted for three days; of {delivery.attempts} tries the last"
                    f" one: {delivery.error}.",
                )

    def _latest(self, webhook: Webhook) -> Webhook | None:
        try:
            return self._store.get(webhook.user_id, webhook.webhook_id)
        except NotFound:
            return None

    def _disable(self, webhook: Webhook, reason: str) -> None:
        def attempt() -> None:
            latest = self._latest(webhook)
            if latest and latest.enabled:
                self._store.replace(latest, latest.disable(reason, self._now()))

        retry_on_conflict(attempt)
        log.warning("Webhook %s was disabled: %s", webhook.webhook_id, reason)
