"""GraphQL over HTTP, by the drafts of https://graphql.github.io/graphql-over-http/draft/."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import MethodNotAllowed, NotAcceptable

from graphql_api.api.graphql.context import Services
from graphql_api.api.http import negotiation
from graphql_api.api.http.compression import COMPRESSIBLE
from graphql_api.api.http.event_streams import NO_STREAM, EventStreams
from graphql_api.api.http.requests import Incoming, context_for_request, json_body, parse_json
from graphql_api.api.http.responses import failure, json_response
from graphql_api.errors import (
    STATUS,
    BadUserInput,
    Forbidden,
    ParseFailed,
    PersistedQueryNotFound,
)
from graphql_api.infra import request_log
from graphql_api.infra.executor.executor import Executor, Request
from graphql_api.infra.executor.persisted_documents import PersistedDocuments
from graphql_api.infra.executor.responses import Answer, RequestErrors

# What the members of a request are, if they are there and not null.
_MEMBERS: tuple[tuple[str, Any, str], ...] = (
    ("query", str | None, "a GraphQL document"),
    ("operationName", str | None, "a text"),
    ("variables", dict | None, "an object"),
    ("extensions", dict | None, "an object"),
)


@dataclass(frozen=True)
class Statuses:
    """The statuses that drafts of GraphQL over HTTP disagree about."""

    malformed: int  # the request has members of other types
    refused: int  # the request cannot be executed
    partial: int  # there are data and errors

    def of(self, answer: Answer) -> int:
        """The status of an answer of GraphQL's own media type."""
        if answer.executed:
            return self.partial if answer.errors and answer.data is not None else 200
        code = answer.errors[0].error.code
        unclear = STATUS[code] == HTTPStatus.BAD_REQUEST and code != ParseFailed.code
        return self.refused if unclear else STATUS[code]


# The draft that npm's graphql-http audits, and the one of August 2026 (commit e1e46e7).
DRAFTS = {"2025": Statuses(400, 400, 200), "2026": Statuses(422, 422, 294)}


class GraphQL:
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

    def respond(self, request: Incoming) -> Response:
        """The answer; raises what went wrong, as errors of this service or of HTTP."""
        environ = request.environ
        accept = environ.get("HTTP_ACCEPT", "")
        media_type = negotiation.choose(accept)
        if media_type is None and negotiation.accepts_events(accept):
            media_type = negotiation.EVENTS
        if media_type is None:
            raise NotAcceptable(f"Accept {negotiation.GRAPHQL} or {negotiation.JSON}.")
        given = _given(request)
        try:
            asked = _asked(given, self._documents)
            operation = self._executor.operation(asked)
        except RequestErrors as error:
            return self._shown(error.answer, media_type)
        except BadUserInput as error:
            return failure(error, environ, self._statuses.malformed)
        request_log.annotate(endpoint=operation.root_field)
        self._documents.register(asked.query, given.get("extensions") or {})
        if operation.is_mutation and request.method != "POST":
            raise MethodNotAllowed(["POST"], "Mutations are sent by POST.")
        if operation.is_subscription:
            if not negotiation.accepts_events(accept):
                return self._shown(RequestErrors.of(BadUserInput(NO_STREAM)).answer, media_type)
            return self._streams.subscribe(operation, asked, request)
        if not operation.is_mutation:
            environ[COMPRESSIBLE] = True
        context = context_for_request(self._services, request)
        return self._shown(self._executor.execute(operation, asked, context), media_type)

    def _shown(self, answer: Answer, media_type: str) -> Response:
        """The answer over HTTP: an error status only where the media type says it is GraphQL's."""
        request_log.annotate(codes=tuple(failed.error.code for failed in answer.errors))
        if media_type == negotiation.EVENTS:
            return self._streams.answer(answer)
        status = 200
        if media_type == negotiation.GRAPHQL:
            status = self._statuses.of(answer)
        return json_response(answer.text or answer.body, status, media_type)


def _given(request: Incoming) -> dict[str, Any]:
    """The members of the request: of the body or, by GET, of the URL. BadUserInput, 413, 415."""
    if request.method == "POST":
        given = json_body(request)
        if isinstance(given, list):
            raise BadUserInput("Batching is not offered: send one operation in each request.")
        if not isinstance(given, dict):
            raise BadUserInput("The body must be a JSON object with a query.")
        return given
    members: dict[str, Any] = dict(request.args)
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = parse_json(members[name], name, name)
    return members


def _asked(given: Mapping[str, Any], documents: PersistedDocuments) -> Request:
    """The request that the members describe.

    Raises BadUserInput for members of other types, RequestErrors for an unknown document.
    """
    for name, kind, what in _MEMBERS:
        if not isinstance(given.get(name), kind):
            raise BadUserInput(f"{name} must be {what}.", name)
    try:
        text = documents.resolve(given.get("query"), given.get("extensions") or {})
    except (PersistedQueryNotFound, Forbidden) as error:
        raise RequestErrors.of(error) from None
    return Request(text, given.get("variables") or {}, given.get("operationName") or None)
