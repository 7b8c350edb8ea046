"""The views of the REST routes: each runs the operation behind its route, as GraphQL would."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from flask import Blueprint, Response

from graphql_api.api.graphql.access.scopes import permission_of
from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.http.application import Access, open_to
from graphql_api.api.http.event_streams import EventStreams
from graphql_api.api.http.requests import HTTPRequest, build_context
from graphql_api.api.http.responses import json_response
from graphql_api.api.rest.export import PATH, ExportView
from graphql_api.api.rest.operations import SOURCE, Operation, operations_of
from graphql_api.api.rest.parameters import INPUT, MERGE, MERGE_DISJOINT, Parameters
from graphql_api.api.rest.problems import OperationFailed, problem_response
from graphql_api.api.rest.query import Query
from graphql_api.api.rest.routes import ROUTES, Route
from graphql_api.api.rest.serializers import Serializer, serializer
from graphql_api.domain.changes.model import Change
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.executor.answer_size import AnswerSize, encoded
from graphql_api.infra.executor.executor import Executor, Request
from graphql_api.infra.executor.responses import Answer

NAME = "rest"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route with what its operation says of requests and responses."""

    route: Route
    operation: Operation
    is_public: bool
    parameters: Parameters
    serialize: Serializer  # a resource; of a list, one of its items


class Page(NamedTuple):
    """A page of a list, as REST shows it."""

    items: list[Any]
    next_cursor: str | None
    is_complete: bool
    changes_cursor: str | None


def blueprint(
    executor: Executor,
    services: Services,
    streams: EventStreams,
    *,
    lists: Bulkhead,
    long_lists: Bulkhead,
    routes: Sequence[Route] = ROUTES,
    source: str = SOURCE,
    export: ExportView | None = None,
) -> Blueprint:
    """Route the paths to views, which run operations of the source, or export."""
    operations = operations_of(executor.schema, source)
    views = RestViews(executor, services, streams, operations.text, lists, long_lists)
    rules = Blueprint(NAME, __name__)
    for route in routes:
        endpoint = _endpoint(route, operations[route.operation])
        view = open_to(Access.BY_FIELD, partial(views.respond, endpoint))
        methods = list(route.methods)
        # A redirect to the other form would be built from the client's Host.
        rules.add_url_rule(route.path, route.operation, view, methods=methods, strict_slashes=False)
    if export:
        view = open_to(Access.BY_SCOPE, partial(export.respond))
        rules.add_url_rule(PATH, "Export", view, methods=["GET"], strict_slashes=False)
    return rules


def _endpoint(route: Route, operation: Operation) -> Endpoint:
    shown = operation.result
    if operation.is_connection and (items := shown.fields["nodes"].selection):
        shown = items
    is_public = permission_of(operation.root) is None
    return Endpoint(route, operation, is_public, Parameters(route, operation), serializer(shown))


class RestViews:
    """Runs the operations of a document, with the context that GraphQL's requests have."""

    def __init__(
        self,
        executor: Executor,
        services: Services,
        streams: EventStreams,
        document: str,
        lists: Bulkhead,
        long_lists: Bulkhead,
    ) -> None:
        self._executor = executor
        self._services = services
        self._streams = streams
        self._document = document
        self._lists, self._long_lists = lists, long_lists
        self._answer_bytes = executor.limits.answer_bytes

    def respond(self, endpoint: Endpoint, request: HTTPRequest, **path: str) -> Response:
        """Respond to a request. Raises what is wrong with it before the operation runs."""
        try:
            if endpoint.operation.is_connection:
                return self._respond_with_list(endpoint, request, path)
            if endpoint.operation.is_subscription:
                return self._respond_with_events(endpoint, request, path)
            return self._respond_with_resource(endpoint, request, path)
        except OperationFailed as failed:
            return problem_response(failed.error, endpoint.parameters.wording)

    def _respond_with_resource(
        self, endpoint: Endpoint, request: HTTPRequest, path: Mapping[str, str]
    ) -> Response:
        context = self._context(endpoint, request)
        variables = endpoint.parameters.variables(request, path)
        result = self._run(endpoint, context, variables)
        if endpoint.operation.has_many:
            return json_response([endpoint.serialize(item) for item in result])
        body = _body(endpoint.route, endpoint.serialize(result))
        response = json_response(body, endpoint.route.status)
        if "version" in body:
            response.set_etag(str(body["version"]))
            if request.method == "GET":
                response.make_conditional(request.environ)
        if endpoint.route.location:
            response.headers["Location"] = endpoint.route.location.format_map(body)
        if variables.get(INPUT, {}).get(MERGE_DISJOINT):
            response.headers["Preference-Applied"] = MERGE
        if body.get("has_more"):
            query = endpoint.parameters.query.parse(request.environ.get("QUERY_STRING", ""))
            response.headers["Link"] = _next_page(request, query, body["end_cursor"])
        return response

    def _respond_with_list(
        self, endpoint: Endpoint, request: HTTPRequest, path: Mapping[str, str]
    ) -> Response:
        """Respond with a page, or with the whole list as a bare array."""
        context = self._context(endpoint, request)
        query = endpoint.parameters.query.parse(request.environ.get("QUERY_STRING", ""))
        variables = {**endpoint.parameters.from_path(path), **query.variables}
        if not query.is_paged:
            return self._respond_with_whole_list(endpoint, request, context, variables)
        page = self._page(endpoint, context, variables)
        response = self._json_list(page.items)
        if page.next_cursor:
            response.headers["Link"] = _next_page(request, query, page.next_cursor)
        elif not page.is_complete:
            response.headers["X-Incomplete"] = "true"
        return _with_cursor(response, page)

    def _respond_with_whole_list(
        self,
        endpoint: Endpoint,
        request: HTTPRequest,
        context: Context,
        variables: Mapping[str, Any],
    ) -> Response:
        """Respond with all pages; others go on while the second one and later ones are read."""
        pages = self._pages(endpoint, request, context, variables)
        page = first = next(pages)
        items = page.items
        size = AnswerSize(self._answer_bytes)
        size.add(items)
        if page.next_cursor:
            page = self._lists.run_in_thread(lambda: next(pages))
            items += page.items
            size.add(page.items)

        def respond() -> Response:
            for page in pages:
                items.extend(page.items)
                size.add(page.items)
            return _with_cursor(self._json_list(items), first)

        return self._long_lists.run_in_thread(respond) if page.next_cursor else respond()

    def _json_list(self, items: list[Any]) -> Response:
        return json_response(encoded(items, self._answer_bytes))

    def _pages(
        self,
        endpoint: Endpoint,
        request: HTTPRequest,
        context: Context,
        variables: Mapping[str, Any],
    ) -> Iterator[Page]:
        """Yield all pages, each with the budgets of a request; only the first one is short."""
        start: dict[str, str] = {}
        while True:
            window = {**start, "first": context.max_page_size}
            page = self._page(endpoint, context, {**variables, **window})
            yield page
            if page.next_cursor is None:
                return
            start = {"after": page.next_cursor}
            extend_deadline()
            context = self._context(endpoint, request)
            context.allow_whole_lists()

    def _page(self, endpoint: Endpoint, context: Context, variables: Mapping[str, Any]) -> Page:
        connection = self._run(endpoint, context, variables)
        info = connection["page_info"]
        items = [endpoint.serialize(item) for item in connection["nodes"]]
        next_cursor = info["end_cursor"] if info["has_next_page"] else None
        is_complete = connection.get("is_complete", True)
        return Page(items, next_cursor, is_complete, connection.get("changes_cursor"))

    def _respond_with_events(
        self, endpoint: Endpoint, request: HTTPRequest, path: Mapping[str, str]
    ) -> Response:
        """Respond with a stream of what a subscription is for."""
        context = self._context(endpoint, request)
        asked = Request(
            self._document,
            endpoint.parameters.variables(request, path),
            endpoint.operation.name,
        )
        operation = self._executor.operation(asked)
        source = self._executor.subscribe(operation, asked, context)
        if isinstance(source, Answer):
            raise OperationFailed(source.errors[0].error)

        def write(context: Context, change: Change) -> Any:
            answer = self._executor.execute_event(operation, asked, context, change)
            return _body(endpoint.route, endpoint.serialize(_result(endpoint, answer)))

        return self._streams.open(request, source, endpoint.route.path, write)

    def _context(self, endpoint: Endpoint, request: HTTPRequest) -> Context:
        context = build_context(self._services, request)
        context.wording = endpoint.parameters.wording
        if not endpoint.is_public:
            context.viewer_id  # noqa: B018 - authenticate before the request is read: 401, not 400
        return context

    def _run(self, endpoint: Endpoint, context: Context, variables: Mapping[str, Any]) -> Any:
        """Return the result of an endpoint's operation. Raises OperationFailed."""
        operation = Request(self._document, variables, endpoint.operation.name)
        return _result(endpoint, self._executor.run(operation, context))


def _result(endpoint: Endpoint, answer: Answer) -> Any:
    """Return the result of an endpoint's operation. Raises OperationFailed."""
    if answer.errors or answer.data is None:
        raise OperationFailed(answer.errors[0].error)
    return endpoint.operation.result_of(answer.data)


def _next_page(request: HTTPRequest, query: Query, cursor: str) -> str:
    """Return the Link to the page after a cursor (RFC 8288)."""
    return f'<{request.parsed.path}?{query.after(cursor)}>; rel="next"'


def _with_cursor(response: Response, page: Page) -> Response:
    """Return the response to a list, with where the feed of changes goes on after it."""
    if page.changes_cursor:
        response.headers["X-Changes-Cursor"] = page.changes_cursor
    return response


def _body(route: Route, result: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a response, with what its route adds and leaves out."""
    body = {"message": route.message, **result} if route.message else result
    for name in route.omits_if_empty:
        if not body[name]:
            del body[name]
    return route.adapt(body) if route.adapt else body
