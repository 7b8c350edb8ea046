"""GraphQL over HTTP, by the drafts of https://graphql.github.io/graphql-over-http/draft/."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import NoneType
from typing import Any

from flask import Response
from werkzeug.exceptions import MethodNotAllowed, NotAcceptable

from graphql_api.api.graphql.context import Services
from graphql_api.api.http import negotiation
from graphql_api.api.http.compression import COMPRESSIBLE
from graphql_api.api.http.event_streams import NO_STREAM, NOT_HERE, EventStreams
from graphql_api.api.http.problems import app_error_response
from graphql_api.api.http.requests import HTTPRequest, build_context, parse_json, read_json
from graphql_api.api.http.responses import json_response
from graphql_api.errors import (
    STATUS,
    BadUserInput,
    Forbidden,
    ParseFailed,
    PersistedQueryNotFound,
)
from graphql_api.infra import request_log
from graphql_api.infra.executor.executor import Executor, Operation, Request
from graphql_api.infra.executor.persisted_documents import PersistedDocuments
from graphql_api.infra.executor.responses import Answer, RequestErrors
from graphql_api.infra.serving.streams import STREAM

_TELL_COST = "HTTP_X_GRAPHQL_COST"

# The members of a request: each may be absent or null.
_MEMBERS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("query", (str, NoneType), "a GraphQL document"),
    ("operationName", (str, NoneType), "a text"),
    ("variables", (dict, NoneType), "an object"),
    ("extensions", (dict, NoneType), "an object"),
)


@dataclass(frozen=True)
class Statuses:
    """The statuses that drafts of GraphQL over HTTP disagree about."""

    malformed: int  # the request has members of other types
    refused: int  # the request cannot be executed
    partial: int  # there are data and errors

    def of(self, answer: Answer) -> int:
        """Return the status of an answer of GraphQL's own media type."""
        if answer.executed:
            return self.partial if answer.errors and answer.data is not None else 200
        code = answer.errors[0].error.code
        is_refused = STATUS[code] == HTTPStatus.BAD_REQUEST and code != ParseFailed.code
        return self.refused if is_refused else STATUS[code]


# The draft that npm's graphql-http audits, and the one of August 2026 (commit e1e46e7).
DRAFTS = {"2025": Statuses(400, 400, 200), "2026": Statuses(422, 422, 294)}


class GraphQLView:
    """Answers requests of GraphQL over HTTP."""

    def __init__(
        self,
        executor: Executor,
        documents: PersistedDocuments,
        services: Services,
        statuses: Statuses,
        streams: EventStreams,
    ) -> None:
        self._executor = executor
        self._documents = documents
        self._services = services
        self._statuses = statuses
        self._streams = streams

    def respond(self, request: HTTPRequest) -> Response:
        """Return the response; raise errors of ours and of HTTP for what is no GraphQL request."""
        media_type = _negotiate(request)
        members = _members(request)
        try:
            parsed = _parse(members, self._documents)
            operation = self._executor.operation(parsed)
        except RequestErrors as error:
            return self._response(self._told(error.answer, request), media_type)
        except BadUserInput as error:
            return app_error_response(error, request.environ, self._statuses.malformed)
        request_log.annotate(endpoint=operation.root_field)
        self._documents.register(parsed.query, members.get("extensions") or {})
        if operation.is_mutation and request.method != "POST":
            raise MethodNotAllowed(["POST"], "Mutations are sent by POST.")
        if operation.is_subscription:
            return self._subscribe(operation, parsed, request, media_type)
        if not operation.is_mutation:
            request.environ[COMPRESSIBLE] = True
        context = build_context(self._services, request)
        answer = self._executor.execute(operation, parsed, context)
        return self._response(self._told(answer, request, operation), media_type)

    def _told(
        self, answer: Answer, request: HTTPRequest, operation: Operation | None = None
    ) -> Answer:
        """The answer with the cost of its operation, if the client has asked to be told."""
        if request.environ.get(_TELL_COST) != "1":
            return answer
        requested = operation.extent.fields if operation else None
        cost = {"requested": requested, "limit": self._executor.limits.fields}
        return replace(answer, text=None, extensions={"cost": cost})

    def _subscribe(
        self, operation: Operation, parsed: Request, request: HTTPRequest, media_type: str
    ) -> Response:
        if not negotiation.accepts_events(_accept(request)):
            complaint = NO_STREAM if request.environ.get(STREAM) else NOT_HERE
            return self._response(RequestErrors.of(BadUserInput(complaint)).answer, media_type)
        return self._streams.subscribe(operation, parsed, request)

    def _response(self, answer: Answer, media_type: str) -> Response:
        """Return the response of an answer; JSON's media type has no error statuses."""
        if media_type == negotiation.EVENTS:
            return self._streams.answer(answer)
        request_log.annotate(codes=answer.codes)
        status = self._statuses.of(answer) if media_type == negotiation.GRAPHQL else 200
        return json_response(answer.text or answer.body, status, media_type)


def _accept(request: HTTPRequest) -> str:
    return str(request.environ.get("HTTP_ACCEPT", ""))


def _negotiate(request: HTTPRequest) -> str:
    """Return the media type of the response; raise 406 if the client accepts none of ours."""
    accept = _accept(request)
    if media_type := negotiation.choose(accept):
        return media_type
    if negotiation.accepts_events(accept):
        return negotiation.EVENTS
    raise NotAcceptable(f"Accept {negotiation.GRAPHQL} or {negotiation.JSON}.")


def _members(request: HTTPRequest) -> dict[str, Any]:
    """Return the members of a request, of its body or, by GET, of its URL.

    Raises BadUserInput, 413 and 415.
    """
    if request.method == "POST":
        body = read_json(request)
        if isinstance(body, list):
            raise BadUserInput("Batching is not offered: send one operation in each request.")
        if not isinstance(body, dict):
            raise BadUserInput("The body must be a JSON object with a query.")
        return body
    members: dict[str, Any] = dict(request.parsed.args)
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = parse_json(members[name], name, name)
    return members


def _parse(members: Mapping[str, Any], documents: PersistedDocuments) -> Request:
    """Return the request that the members describe.

    Raises BadUserInput for members of other types, RequestErrors for an unknown document.
    """
    for name, types, description in _MEMBERS:
        if not isinstance(members.get(name), types):
            raise BadUserInput(f"{name} must be {description}.", name)
    try:
        text = documents.resolve(members.get("query"), members.get("extensions") or {})
    except (PersistedQueryNotFound, Forbidden) as error:
        raise RequestErrors.of(error) from None
    return Request(text, members.get("variables") or {}, members.get("operationName") or None)
