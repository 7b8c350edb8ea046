"""The HTTP side: GraphQL at /graphql, health, and one place where errors become answers."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import orjson
from flask import Blueprint, Flask, Request, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotAcceptable,
    UnsupportedMediaType,
)
from werkzeug.http import parse_options_header
from werkzeug.routing import MapAdapter

from graphql_api import limits, logs, negotiation
from graphql_api.accounts.model import Client
from graphql_api.context import Context, Services
from graphql_api.documents import Documents
from graphql_api.errors import (
    STATUS,
    AppError,
    BadUserInput,
    Forbidden,
    InternalError,
    ParseFailed,
    PersistedQueryNotFound,
    ServiceUnavailable,
)
from graphql_api.execution import Answer, Executor, RequestErrors
from graphql_api.execution import Request as Asked
from graphql_api.graphiql import Asset, GraphiQL
from graphql_api.plan_page import PlanPage

PROBLEM = "application/problem+json"

_CAPITAL = re.compile(r"[A-Z]")

# Named here, since Python's names change from version to version.
_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: AppError.code,
}
_TEXTS = {
    404: "There is no such path.",
    405: "The path does not know this method.",
    413: f"The body is larger than {limits.BODY_BYTES // 1024} KiB.",
}

# What the members of a request are, if they are there and not null.
_MEMBERS: tuple[tuple[str, Any, str], ...] = (
    ("query", str | None, "a GraphQL document"),
    ("operationName", str | None, "a text"),
    ("variables", dict | None, "an object"),
    ("extensions", dict | None, "an object"),
)

log = logging.getLogger(__name__)


class Application(Flask):
    """Flask, without what takes time and is of no use here.

    No view is asynchronous, and no URL is built or matched by the host's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None)
        self.config["MAX_CONTENT_LENGTH"] = limits.BODY_BYTES
        self.url_map.merge_slashes = False  # its redirects would be built from the client's Host

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The view itself."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the view of a request."""
        if request is None:
            return None
        environ = request.environ
        return MapAdapter(
            self.url_map,
            environ["SERVER_NAME"],
            request.root_path,
            "",
            request.scheme,
            request.path,
            request.method,
            environ.get("QUERY_STRING", ""),
        )


class Json(Response):
    """An answer whose body is there as a whole, with the headers that belong to it."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333), with no copies made of what is ready."""
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code == HTTPStatus.NOT_MODIFIED:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return cast("list[bytes]", self.response)


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
        code = answer.errors[0]["extensions"]["code"]
        unclear = STATUS[code] == HTTPStatus.BAD_REQUEST and code != ParseFailed.code
        return self.refused if unclear else STATUS[code]


# The draft that npm's graphql-http audits, and the one of August 2026 (commit e1e46e7).
DRAFTS = {"2025": Statuses(400, 400, 200), "2026": Statuses(422, 422, 294)}


def blueprint(
    executor: Executor,
    documents: Documents,
    services: Services,
    *,
    statuses: Statuses,
    page: GraphiQL | None,
) -> Blueprint:
    """/graphql, and the page that it is for a browser."""
    routes = Blueprint("http", __name__)

    @routes.route("/graphql", methods=["GET", "POST"])
    def graphql() -> Response:
        if page and request.method != "POST" and _wants_a_page():
            return _html(page.html, page.content_security_policy)
        media_type = negotiation.choose(request.environ.get("HTTP_ACCEPT", ""))
        if media_type is None:
            raise NotAcceptable(f"Accept {negotiation.GRAPHQL} or {negotiation.JSON}.")
        given = _given()
        try:
            asked = _asked(given, documents)
            operation = g.operation = executor.operation(asked)
        except RequestErrors as error:
            return _answer(error.answer, media_type, statuses)
        except BadUserInput as error:
            return _error(statuses.malformed, error.message, error.extensions)
        documents.remember(asked.query, given.get("extensions") or {})
        if operation.writes and request.method != "POST":
            raise MethodNotAllowed(["POST"], "Mutations are sent by POST.")
        context = context_for_request(services)
        answer = executor.execute(operation, asked, context)
        return _answer(answer, media_type, statuses)

    @routes.get("/")
    def root() -> ResponseReturnValue:
        return redirect("/graphql") if page else problem(404, "NOT_FOUND", _TEXTS[404])

    @routes.get("/graphiql/<name>")
    def graphiql_asset(name: str) -> Response:
        return _file(page.asset(name) if page else None)

    return routes


def plan(page: PlanPage) -> Blueprint:
    """/plan, and the files of the page that it is."""
    routes = Blueprint("plan", __name__)

    @routes.get("/plan")
    def html() -> Response:
        return _html(page.html, page.content_security_policy)

    @routes.get("/plan/<name>")
    def asset(name: str) -> Response:
        return _file(page.asset(name))

    return routes


def health(ready: Callable[[], None], leaving: Callable[[], bool]) -> Blueprint:
    """/healthz and /readyz; `ready` raises ServiceUnavailable while the store is away.

    A process that is `leaving` is not ready either, and keeps no connection: whoever sent the
    next request on it could meet its end.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return json_response({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        if leaving():
            raise ServiceUnavailable("The service is about to end.")
        ready()
        return json_response({"status": "ready"})

    @routes.after_app_request
    def let_go(response: Response) -> Response:
        if leaving():
            response.headers["Connection"] = "close"
        return response

    return routes


def show_errors(app: Flask) -> None:
    """Give every error its form, and what crashed its line in the log."""

    @app.errorhandler(AppError)
    def expected(error: AppError) -> Response:
        return _error(error.status, error.message, error.extensions)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        message = _TEXTS.get(status, error.description or "")
        response = _error(status, message, {"code": _transport_code(status)})
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Response:
        log.error("Request %s crashed", logs.request_id(), exc_info=error)
        return expected(InternalError(logs.request_id()))


def context_for_request(services: Services) -> Context:
    """What resolvers get to know of the present request."""
    environ = request.environ
    client = Client(environ.get("HTTP_USER_AGENT", ""), environ.get("REMOTE_ADDR", ""))
    return services.context(environ.get("HTTP_AUTHORIZATION"), client)


def json_body() -> Any:
    """The request's JSON; 413, 415 or BadUserInput if there is none."""
    environ = request.environ
    content_type = environ.get("CONTENT_TYPE", "")
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    is_common = content_type == negotiation.JSON and encoding == "identity"
    if not is_common and (problem := _unreadable(content_type, encoding)):
        raise UnsupportedMediaType(problem)
    return parse_json(_body(environ), "The body")


def _body(environ: dict[str, Any]) -> bytes:
    """The whole body, if need be as werkzeug reads it; 413, or 400 if it ended early."""
    length = environ.get("CONTENT_LENGTH", "")
    if not limits.fits(length):
        return request.get_data(cache=False)
    body: bytes = environ["wsgi.input"].read(int(length))
    if len(body) < int(length):
        raise ClientDisconnected
    return body


def _unreadable(content_type: str, encoding: str) -> str | None:
    """What is wrong with a body of these headers, if anything is."""
    media_type, parameters = parse_options_header(content_type)
    if media_type.lower() != negotiation.JSON:
        return "Send application/json."
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        return "Send JSON in UTF-8."
    if encoding.lower() != "identity":
        return "Send the body without a Content-Encoding."
    return None


def parse_json(text: bytes | str, what: str, field: str | None = None) -> Any:
    """The value of a JSON text (RFC 8259: UTF-8, no NaN); BadUserInput if it is none.

    It is not nested so deeply that whoever walks through it could run out of stack.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadUserInput(f"{what} is not valid JSON: {error.msg}.", field) from None
    except UnicodeEncodeError:
        raise BadUserInput(f"{what} is not valid Unicode.", field) from None
    if not (_is_flat(text) or limits.within(value, limits.JSON_NESTING)):
        raise BadUserInput(f"{what} is nested deeper than {limits.JSON_NESTING} levels.", field)
    return value


def _is_flat(text: bytes | str) -> bool:
    """Whether a JSON text begins too few lists and objects to nest them deeply."""
    begins = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    return sum(map(text.count, begins)) <= limits.JSON_NESTING  # type: ignore[arg-type]  # of its own kind


def json_response(body: Any, status: int = 200, media_type: str = negotiation.JSON) -> Response:
    """An answer of JSON in UTF-8."""
    content_type = f"{media_type}; charset=utf-8"
    text = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    return Json(text, status, content_type=content_type)


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """An error outside GraphQL, as RFC 9457 has it; `error` and `message` are for old clients."""
    logs.note(codes=(code,))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "error": detail,
        "message": detail,
        **more,
    }
    return _headed(json_response(body, status, PROBLEM), status, more.get("retry_after"))


def snake_case(names: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under the names that they have outside GraphQL."""
    return {snake(name): value for name, value in names.items()}


def snake(name: str) -> str:
    """A camelCase name in snake_case."""
    return _CAPITAL.sub(lambda letter: "_" + letter[0].lower(), name)


def _error(status: int, message: str, extensions: Mapping[str, Any]) -> Response:
    if request.path != "/graphql":
        return problem(status, detail=message, **snake_case(extensions))
    media_type = negotiation.choose(request.headers.get("Accept", "")) or negotiation.JSON
    logs.note(codes=(extensions["code"],))
    body = {"errors": [{"message": message, "extensions": extensions}]}
    response = json_response(body, status, media_type)
    return _headed(response, status, extensions.get("retryAfter"))


def _headed(response: Response, status: int, retry_after: int | None) -> Response:
    """An error's answer with the headers that tell a client what to do."""
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _transport_code(status: int) -> str:
    """The code of an error of HTTP itself: from GraphQL's closed list there, else its name."""
    if request.path != "/graphql":
        return _CODES.get(status, HTTPStatus(status).name)
    return BadUserInput.code if status < HTTPStatus.INTERNAL_SERVER_ERROR else AppError.code


def _answer(answer: Answer, media_type: str, statuses: Statuses) -> Response:
    """The answer over HTTP: an error status only where the media type says that it is GraphQL's."""
    logs.note(codes=tuple(error["extensions"]["code"] for error in answer.errors))
    status = 200
    if media_type == negotiation.GRAPHQL:
        status = statuses.of(answer)
    return json_response(answer.body, status, media_type)


def _wants_a_page() -> bool:
    return "query" not in request.args and "text/html" in request.headers.get("Accept", "")


def _html(html: str, content_security_policy: str) -> Response:
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = content_security_policy
    return response


def _file(asset: Asset | None) -> Response:
    if asset is None:
        return problem(404, "NOT_FOUND", "There is no such file.")
    response = Response(asset.content, mimetype=asset.media_type)
    response.headers["Cache-Control"] = asset.cache_control
    return response


def _given() -> dict[str, Any]:
    """The members of the request: of the body or, by GET, of the URL. BadUserInput, 413, 415."""
    if request.method == "POST":
        given = json_body()
        if not isinstance(given, dict):
            raise BadUserInput("The body must be a JSON object with a query.")
        return given
    members: dict[str, Any] = dict(request.args)
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = parse_json(members[name], name, name)
    return members


def _asked(given: Mapping[str, Any], documents: Documents) -> Asked:
    """The request that the members describe.

    Raises BadUserInput for members of other types, RequestErrors for an unknown document.
    """
    for name, kind, what in _MEMBERS:
        if not isinstance(given.get(name), kind):
            raise BadUserInput(f"{name} must be {what}.", name)
    try:
        text = documents.text(given.get("query"), given.get("extensions") or {})
    except (PersistedQueryNotFound, Forbidden) as error:
        raise RequestErrors.of(error) from None
    return Asked(text, given.get("variables") or {}, given.get("operationName") or None)
