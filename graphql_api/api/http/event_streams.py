"""Streams of changes, for GraphQL and for REST, and GraphQL over server-sent events.

GraphQL has the "distinct connections mode" of
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. Errors are events too: a client
of that protocol takes any other answer for a broken connection, and tries again.
"""

import random
import sys
from collections.abc import Callable, Hashable
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import orjson
from flask import Response

from graphql_api.api.graphql.changes import LiveChanges, feed_by, feed_cursor
from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.http.requests import HTTPRequest, build_context
from graphql_api.domain.changes.live import LiveFeed, Subscription
from graphql_api.domain.changes.model import Change, Position
from graphql_api.errors import AppError, BadUserInput
from graphql_api.infra import request_log
from graphql_api.infra.executor.executor import Executor, Operation, Request
from graphql_api.infra.executor.responses import Answer, RequestErrors
from graphql_api.infra.serving.streams import HEADERS, STREAM, Stream, event

RETRY_MS = 1_000, 5_000  # to wait before coming back; not all at once
COMPLETE = event(b"", name="complete")
NO_STREAM = (
    "Subscriptions are answered as text/event-stream, which this request does not accept:"
    " send Accept: text/event-stream, or poll the changes query."
)
NOT_HERE = "This server cannot stream: poll `changes` instead."

Write: TypeAlias = Callable[[Context, Change], Any]  # the data of a change's event, of JSON


class EventStreams:
    """Answers subscriptions by streams, and other results as events."""

    def __init__(self, executor: Executor, services: Services, live: LiveFeed) -> None:
        self._executor, self._services, self._live = executor, services, live

    def answer(self, answer: Answer) -> Response:
        """One result, and the end; its errors are in the log."""
        request_log.annotate(codes=answer.codes)
        text = answer.text or orjson.dumps(answer.body)
        data = event(text.rstrip(), name="next")
        return Response(data + COMPLETE, headers=HEADERS)

    def subscribe(self, operation: Operation, asked: Request, request: HTTPRequest) -> Response:
        """Open a stream of the operation's events, or answer with what is wrong with it."""
        context = build_context(self._services, request)
        source = self._executor.subscribe(operation, asked, context)
        if isinstance(source, Answer):
            return self.answer(source)
        variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)
        key = (asked.query, operation.name, variables)

        def write(context: Context, change: Change) -> Any:
            return self._executor.execute_event(operation, asked, context, change).body

        try:
            return self.open(request, source, key, write, name="next")
        except AppError as error:
            return self.answer(RequestErrors.of(error, camel_case).answer)

    def open(
        self,
        request: HTTPRequest,
        source: LiveChanges,
        key: Hashable,
        write: Write,
        *,
        name: str | None = None,
    ) -> Response:
        """Open a stream of a user's changes, in events of this name; HEAD gets its headers.

        Streams of equal keys have the same events. Raises BadUserInput where nothing can stream.
        """
        if not request.environ.get(STREAM):
            raise BadUserInput(NOT_HERE)
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        authorization = sys.intern(request.environ.get("HTTP_AUTHORIZATION", ""))
        stream = Stream()
        identity = source.identity
        subscription = Subscription(
            identity.user_id,
            authorization,
            (key, identity.confinement, source.view_id),  # each hears of its own tasks
            partial(self._render, source, write, name),
            stream,
            _farewell(),
            source.after,
            self._services.now(),
        )
        # Before it is subscribed: the feed's thread may close it at once.
        stream.on_close = partial(self._live.unsubscribe, subscription)
        self._live.subscribe(subscription)
        request.environ[STREAM] = stream
        return Response(iter(()), headers=HEADERS)  # of no length that could be told

    def _render(
        self,
        source: LiveChanges,
        write: Write,
        name: str | None,
        change: Change,
        read_at: datetime,
    ) -> bytes:
        context = self._services.context_of(source.identity)
        if not feed_by(context, source.view_id).tells(change):
            return b""
        data = orjson.dumps(write(context, change))
        cursor = feed_cursor(context, Position.of(change, read_at))
        return event(data, name=name, id=cursor)


def _farewell() -> bytes:
    """The last event of a stream, which says when to come back, should the stream go on."""
    return b"retry: %d\n" % random.randint(*RETRY_MS) + COMPLETE  # noqa: S311  # nosec B311 - no secret
