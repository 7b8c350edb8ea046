"""The operations on users' webhooks; the first argument is always whose they are."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.tasks.filters import TaskFilter
from graphql_api.domain.webhooks.model import SECRET_BYTES, Delivery, Webhook, new_secret
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.errors import FIELD, BadUserInput, QueryTooComplex, RateLimited
from graphql_api.infra.outgoing.client import OutgoingClient, Refused

WEBHOOK_ID, DELIVERY_ID = "webhook_id", "delivery_id"
RETRY_SECONDS = 60
MAX_COUNTED = 5_000  # deliveries in one request
MAX_REQUESTED = 50  # tests and redeliveries of a user that wait at a time
HOST_SECONDS = 2.0  # for a look at a host's addresses, while its user waits


class Webhooks:
    """Creates, changes and lists webhooks and their deliveries."""

    def __init__(
        self,
        store: WebhookStore,
        client: OutgoingClient,
        test_body: Callable[[Webhook, datetime], str],
    ) -> None:
        """`test_body` renders the payload of a test event."""
        self._store, self._client, self._test_body = store, client, test_body

    def all(self, user_id: str) -> list[Webhook]:
        """The user's webhooks, the oldest first."""
        return self._store.all(user_id)

    def get(self, user_id: str, webhook_id: str) -> Webhook:
        """One of the user's webhooks. Raises NotFound."""
        return self._store.get(user_id, webhook_id)

    def create(self, user_id: str, values: Mapping[str, Any], now: datetime) -> Webhook:
        """Create a webhook. Raises BadUserInput, and Conflict if there are too many."""
        webhook = Webhook.new(
            user_id,
            url=values["url"],
            kinds=values["kinds"],
            filter=values.get("filter") or TaskFilter(),
            secret=new_secret(secrets.token_bytes(SECRET_BYTES)),
            now=now,
        )
        self._check_url(webhook.url)
        retry_on_conflict(lambda: self._store.add(webhook, now))
        return webhook

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> Webhook:
        """Change a webhook, if it still has the `expected_version` or none is given.

        One that is enabled again goes on where it was disabled. Raises NotFound, BadUserInput
        and Conflict.
        """
        fields = dict(changes)
        webhook_id, expected = fields.pop("id"), fields.pop("expected_version", None)
        for name in ("url", "kinds", "status"):
            if name in fields and fields[name] is None:
                raise BadUserInput(f"{FIELD} must not be null.", name)
        if "filter" in fields:
            fields["filter"] = fields["filter"] or TaskFilter()
        if "url" in fields:
            self._store.get(user_id, webhook_id)  # a foreign one is not there, whatever the URL
            self._check_url(fields["url"])

        def attempt() -> Webhook:
            before = self._store.get(user_id, webhook_id)
            check_version("webhook", before.version, expected)
            after = before.edit(fields, now)
            if after is not before:
                self._store.replace(before, after)
                self._store.hasten(user_id, now)
            return after

        return retry_on_conflict(attempt)

    def delete(
        self, user_id: str, id: str, now: datetime, expected_version: int | None = None
    ) -> str:
        """Delete a webhook with what it has not delivered yet; return its id. Raises NotFound."""

        def attempt() -> None:
            webhook = self._store.get(user_id, id)
            check_version("webhook", webhook.version, expected_version)
            self._store.remove(webhook)

        retry_on_conflict(attempt)
        self._store.hasten(user_id, now)
        return id

    def rotate(self, user_id: str, webhook_id: str, now: datetime) -> Webhook:
        """Give a webhook a new secret; the old one goes on to sign for a day. Raises NotFound."""
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))

        def attempt() -> Webhook:
            before = self._store.get(user_id, webhook_id)
            if before.secret == secret:  # the answer to an earlier attempt was lost
                return before
            after = before.rotate(secret, now)
            self._store.replace(before, after)
            return after

        return retry_on_conflict(attempt)

    def send_test(self, user_id: str, webhook_id: str, now: datetime) -> Delivery:
        """Have a test event delivered, once. Raises NotFound and RateLimited."""
        webhook = self._store.get(user_id, webhook_id, WEBHOOK_ID)
        delivery = Delivery.of_test(webhook, self._test_body(webhook, now), now)
        self._request(delivery, now)
        return delivery

    def redeliver(self, user_id: str, delivery_id: str, now: datetime) -> Delivery:
        """Have a message delivered again, once, under its own id.

        Raises NotFound and RateLimited.
        """
        before = self._store.find(user_id, delivery_id)
        self._store.get(user_id, before.webhook_id, DELIVERY_ID)
        delivery = before.again(now)
        self._request(delivery, now)
        return delivery

    def _request(self, delivery: Delivery, now: datetime) -> None:
        waiting = [each for each in self._store.pending(delivery.user_id) if each.on_request]
        if len(waiting) >= MAX_REQUESTED:
            raise RateLimited("Too many deliveries that were asked for are waiting.", RETRY_SECONDS)
        self._store.add_requested(delivery, now)

    def deliveries(
        self, user_id: str, webhook_id: str, before: str | None, limit: int, now: datetime
    ) -> list[Delivery]:
        """Up to `limit` of a webhook's deliveries, the newest first, behind a position."""
        return list(islice(self._deliveries(user_id, webhook_id, before, now), limit))

    def deliveries_named(self, user_id: str, delivery_ids: Sequence[str]) -> dict[str, Delivery]:
        """The user's deliveries of these distinct ids, as far as there are any."""
        return self._store.find_many(user_id, delivery_ids)

    def count_deliveries(self, user_id: str, webhook_id: str, now: datetime) -> int:
        """The number of a webhook's deliveries that are kept. Raises QueryTooComplex."""
        counted = self.deliveries(user_id, webhook_id, None, MAX_COUNTED + 1, now)
        if len(counted) > MAX_COUNTED:
            raise QueryTooComplex("There are too many deliveries to count them in one request.")
        return len(counted)

    def _deliveries(
        self, user_id: str, webhook_id: str, before: str | None, now: datetime
    ) -> Iterator[Delivery]:
        self._store.get(user_id, webhook_id, WEBHOOK_ID)
        waiting = [each for each in self._store.pending(user_id) if each.webhook_id == webhook_id]
        finished = self._store.finished(user_id, webhook_id, before, now)
        found = merge(waiting[::-1], finished, key=attrgetter("delivery_id"), reverse=True)
        position, last = f"{webhook_id}_{before}" if before else None, None
        for delivery in found:
            # One that is finished while this reads is there twice.
            if delivery.delivery_id != last and (
                position is None or delivery.delivery_id < position
            ):
                last = delivery.delivery_id
                yield delivery

    def _check_url(self, url: str) -> None:
        try:
            self._client.check_host(url, HOST_SECONDS)
        except Refused as refused:
            raise BadUserInput(f"{FIELD} {refused}.", "url") from None
