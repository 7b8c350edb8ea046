"""The Flask application: one way for every request, from the URL map to a view and its response."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import partial
from typing import Any, NoReturn, TypeAlias, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response
from werkzeug.exceptions import BadRequest, RequestTimeout
from werkzeug.routing import Rule

from graphql_api.api.http.compression import COMPRESSIBLE
from graphql_api.api.http.negotiation import GRAPHQL_PATH
from graphql_api.api.http.problems import error_response
from graphql_api.api.http.requests import HTTPRequest
from graphql_api.errors import ServiceUnavailable, StartError
from graphql_api.infra import request_log
from graphql_api.infra.serving.wsgi import NO_HOST, REFUSED

View: TypeAlias = Callable[..., Response]

ROUTE = "graphql_api.route"  # where in the environ the path of the matched route is

REFUSALS: Mapping[int, Callable[[], Exception]] = {
    400: partial(BadRequest, "The body broke off, or it has trailers."),
    408: partial(RequestTimeout, "The body came too slowly, or ended early."),
    NO_HOST: partial(BadRequest, "A request of HTTP/1.1 has one Host header (RFC 9112, 3.2)."),
    503: partial(ServiceUnavailable, "Too many requests are waiting, try again."),
}


class Access(Enum):
    """The callers that may have a route; each route declares them, by `open_to`."""

    ANYONE = "anyone"
    BY_FIELD = "whoever may have the fields of GraphQL that it selects"
    BY_SCOPE = "who has the scope that its view asks for"


def open_to(access: Access, view: View) -> View:
    """Declare who may have a route, as that of its view."""
    view.access = access  # type: ignore[attr-defined]  # a function, or a partial one
    return view


class Application(Flask):
    """Flask's URL map, view functions and blueprints, behind a dispatch of its own.

    A view is called with the request and the variables of its path, and returns a response.
    Flask's contexts, signals and hooks are left out, which take 55 µs of 125 for the smallest
    operation: what concerns every request is WSGI middleware (middleware.py).
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None)
        self.before_request_funcs = _NoHooks()
        self.after_request_funcs = _NoHooks()
        self.teardown_request_funcs = _NoHooks()
        self.error_handler_spec = _NoHooks()
        self.url_map.merge_slashes = False  # its redirects would be built from the client's Host
        self._urls = self.url_map.bind("")  # no URL is built, so no host is needed
        self._static_rules: dict[tuple[str, str], Rule] = {}

    def require_access(self) -> None:
        """Raise StartError for routes that do not declare who may have them."""
        missing = [
            rule.rule
            for rule in self.url_map.iter_rules()
            if not hasattr(self.view_functions[rule.endpoint], "access")
        ]
        if missing:
            raise StartError(
                f"{', '.join(missing)}: a route declares who may have it,"
                " open_to(Access.ANYONE, view) (graphql_api/api/http/application.py)"
            )

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        try:
            response = self._respond(environ)
        except Exception as error:  # noqa: BLE001 - it is logged there unless it is expected
            response = error_response(error, environ)
        return response(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        """Return the view's response; raise what the request is refused with."""
        request = HTTPRequest(environ)
        is_options = request.method == "OPTIONS"
        if REFUSED in environ and not is_options:  # a preflight is cheap, and tells CORS's headers
            refusal = REFUSALS[environ[REFUSED]]
            raise refusal()
        rule, variables = self._match(request)
        environ[ROUTE] = rule.rule
        if rule.rule != GRAPHQL_PATH:  # there, the view knows what the operation is
            request_log.annotate(endpoint=rule.endpoint)
            if request.method == "GET":
                environ[COMPRESSIBLE] = True
        if is_options:
            return self._options(rule)
        return cast("Response", self.view_functions[rule.endpoint](request, **variables))

    def _match(self, request: HTTPRequest) -> tuple[Rule, Mapping[str, Any]]:
        """Return the rule of a path and its variables; raise NotFound or MethodNotAllowed.

        Rules without variables are remembered, of which there are few: to match takes 9 µs.
        """
        key = request.method, request.environ["PATH_INFO"]
        if rule := self._static_rules.get(key):
            return rule, {}
        path = request.parsed.path
        rule, variables = self._urls.match(path, request.method, return_rule=True)
        if not variables:
            self._static_rules[key] = rule
        return rule, variables

    def _options(self, rule: Rule) -> Response:
        """Answer with the methods of a path, not with those of a pattern that has it, too."""
        response = Response()
        for other in self.url_map.iter_rules():
            if other.rule == rule.rule:
                response.allow.update(other.methods or ())
        return response


class _NoHooks(dict[Any, Any]):
    """In the place of Flask's hooks and error handlers: none is called, so none may be set."""

    def __missing__(self, _: object) -> NoReturn:
        raise TypeError("Application calls no hooks of Flask: write WSGI middleware instead.")

    def setdefault(self, key: Any, _: Any = None) -> NoReturn:
        self.__missing__(key)
