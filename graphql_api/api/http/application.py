"""The HTTP side: Flask, its routes that are no part of the older program's, and no waste."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug import Request
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout
from werkzeug.routing import MapAdapter

from graphql_api.api.http.graphql_view import GraphQL
from graphql_api.api.http.negotiation import GRAPHQL_PATH
from graphql_api.api.http.requests import Incoming, View
from graphql_api.api.http.responses import TEXTS, json_response, present, problem
from graphql_api.api.pages.graphiql import Asset, GraphiQL
from graphql_api.api.pages.plan import PlanPage
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra import request_log
from graphql_api.infra.serving.wsgi import REFUSED

NAME = "http"
GRAPHQL_ENDPOINT = f"{NAME}.graphql"
REFUSALS: Mapping[int, Callable[[], Exception]] = {
    400: partial(BadRequest, "The body broke off, or it has trailers."),
    408: partial(RequestTimeout, "The body came too slowly, or ended early."),
    503: partial(ServiceUnavailable, "Too many requests are waiting, try again."),
}


class Application(Flask):
    """Flask, without what takes time and is of no use here.

    No view is asynchronous, and no URL is built or matched by the host's name. What needs nothing
    of its contexts, hooks and proxies is answered past them, which takes 35 to 50 µs less.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None)
        self.url_map.merge_slashes = False  # its redirects would be built from the client's Host
        # Operations by POST and the views of these endpoints need none of it; as long as there is
        # nothing here, all goes through Flask.
        self.graphql: GraphQL | None = None
        self.views: Mapping[str, View] = {}
        self._fixed: dict[tuple[str, str], str] = {}  # endpoints by methods and paths

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        try:
            response = self._respond_at_once(environ)
        except Exception as error:  # noqa: BLE001 - each has its form
            response = present(error, environ)
        if response is not None:
            return response(environ, start_response)
        found: Iterable[bytes] = super().wsgi_app(environ, start_response)
        return found

    def _respond_at_once(self, environ: dict[str, Any]) -> Response | None:
        """The answer to a request that needs nothing of Flask; None to any other."""
        if REFUSED in environ and self.graphql:
            return _refused(environ)
        method = environ["REQUEST_METHOD"]
        is_no_page = method == "POST" or (method == "GET" and not _takes_html(environ))
        if self.graphql and is_no_page and environ["PATH_INFO"] == GRAPHQL_PATH:
            return self.graphql.respond(environ)
        if not self.views or method == "OPTIONS":
            return None
        asked = Incoming(environ, populate_request=False)  # else each would hold the other
        named: Mapping[str, Any] = {}
        fixed = method, environ["PATH_INFO"]
        endpoint = self._fixed.get(fixed)
        if endpoint is None:
            try:
                endpoint, named = self._routes(asked).match()
            except HTTPException:
                return None
            if not named:  # there are few paths that name nothing
                self._fixed[fixed] = endpoint
        view = self.views.get(endpoint)
        if view is None:
            return None
        request_log.note(does=endpoint)
        return view(asked, **named)

    def dispatch_request(self) -> ResponseReturnValue:
        """What the view of the present request returns."""
        if REFUSED in request.environ and request.method != "OPTIONS":  # which costs nothing
            return _refused(request.environ)
        if request.endpoint != GRAPHQL_ENDPOINT:  # that says which operation it is
            request_log.note(does=request.endpoint)
        return super().dispatch_request()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The view itself."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the view of a request."""
        return self._routes(request) if request else None

    def _routes(self, request: Request) -> MapAdapter:
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


def blueprint(endpoint: GraphQL, page: GraphiQL | None) -> Blueprint:
    """/graphql, and the page that it is for a browser."""
    routes = Blueprint(NAME, __name__)

    @routes.route(GRAPHQL_PATH, methods=["GET", "POST"])
    def graphql() -> Response:
        if page and request.method != "POST" and _wants_a_page():
            return _html(page.html, page.content_security_policy)
        return endpoint.respond(request.environ)

    @routes.get("/")
    def root() -> ResponseReturnValue:
        return redirect(GRAPHQL_PATH) if page else problem(404, "NOT_FOUND", TEXTS[404])

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

    A process that is `leaving` is not ready either.
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

    return routes


def show_errors(app: Flask) -> None:
    """Give every error its form."""

    @app.errorhandler(Exception)
    def shown(error: Exception) -> Response:
        return present(error, request.environ)


def _refused(environ: Mapping[str, Any]) -> Response:
    return present(REFUSALS[environ[REFUSED]](), environ)


def _wants_a_page() -> bool:
    return "query" not in request.args and _takes_html(request.environ)


def _takes_html(environ: Mapping[str, Any]) -> bool:
    return "text/html" in environ.get("HTTP_ACCEPT", "")


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
