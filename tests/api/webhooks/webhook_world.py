"""Webhooks as their users see them, with a dispatcher that runs when a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache

from conftest import Api
from flask import Flask
from receiver import Receiver, receiving

from graphql_api import clock, create_app
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.webhooks.payload import Payloads
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.webhooks.delivery import Deliverer
from graphql_api.domain.webhooks.duty import WebhookDuty
from graphql_api.domain.webhooks.outbox import Outbox
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.infra.outgoing.client import OutgoingClient

FIELDS = "id url kinds status disabledReason version filter { status tags }"
CREATE = f"""mutation ($input: CreateWebhookInput!) {{
  createWebhook(input: $input) {{ secret webhook {{ {FIELDS} }} }} }}"""
UPDATE = f"""mutation ($input: UpdateWebhookInput!) {{
  updateWebhook(input: $input) {{ secret webhook {{ {FIELDS} }} }} }}"""
WEBHOOKS = f"{{ webhooks {{ {FIELDS} }} }}"
DELIVERY = """id webhookId messageId kind taskId status attempts createdAt lastTryAt nextTryAt
  responseStatus error"""
DELIVERIES = f"""query ($id: ID!, $first: Int! = 25, $after: String) {{
  webhookDeliveries(webhookId: $id, first: $first, after: $after) {{
    nodes {{ {DELIVERY} }} totalCount pageInfo {{ hasNextPage endCursor }} }} }}"""


class Here:
    """In the place of a crew: work is done at once, in this thread."""

    def add(self, _line, work):
        work()

    def stop(self, _seconds):
        """Nothing is under way."""


@cache
def _service(config) -> Flask:
    """The one service of an engine that reaches receivers here: it takes long to build."""
    return create_app(replace(config, webhook_allow_private=True))


class World:
    """A service, a dispatcher with a clock of its own, and a receiver."""

    def __init__(self, config, receiver: Receiver, crew=None, **client) -> None:
        self.receiver, self.ahead = receiver, timedelta()
        app = _service(config)
        self.api, self.database = Api(app.test_client()), app.extensions["database"]
        self.store = WebhookStore(self.database)
        self.cursors = Cursors([config.jwt_secret])
        self.client = OutgoingClient(allow_private=True, **client)
        self.crew = crew or Here()
        self.duty = self.new_duty()

    def new_duty(self) -> WebhookDuty:
        """The duty of a process that has just started."""
        changes = ChangeStore(self.database, timedelta(days=30))
        tasks = TaskStore(self.database, changes)
        payloads = Payloads(self.cursors)
        outbox = Outbox(
            self.store, Feed(changes), tasks, DependencyStore(self.database), payloads.of_change
        )
        deliverer = Deliverer(self.store, self.client, self.now, lambda: 0.5, "tests")
        return WebhookDuty(self.store, outbox, deliverer, self.crew, self.now, 1)

    def now(self):
        return clock.now() + self.ahead

    def later(self, **delta) -> None:
        """Let time pass."""
        self.ahead += timedelta(**delta)

    def dispatch(self) -> None:
        """Let the dispatcher look once, at everybody."""
        self.duty._is_new = True  # whatever is due when
        self.duty.run(self.now())

    def create(self, person, path="/", **fields) -> dict:
        """A new webhook of a person, with its secret."""
        answer = person.graphql(CREATE, input={"url": self.receiver.url + path, **fields})
        assert "errors" not in answer, answer
        payload = answer["data"]["createWebhook"]
        return {**payload["webhook"], "secret": payload["secret"]}

    def deliveries(self, person, webhook, **window) -> list[dict]:
        answer = person.graphql(DELIVERIES, id=webhook["id"], **window)
        return answer["data"]["webhookDeliveries"]["nodes"]

    def webhook(self, person) -> dict:
        """The person's one webhook."""
        [found] = person.graphql(WEBHOOKS)["data"]["webhooks"]
        return found


@contextmanager
def world(config, **options) -> Iterator[World]:
    with receiving() as receiver:
        there = World(config, receiver, **options)
        yield there
        for lane in there.store.lanes():  # else the next test's dispatcher would look there, too
            there.store.remove_all(lane.item, clock.now())
