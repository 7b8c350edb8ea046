"""WSGI middleware for every request: id, deadline, log line, safe headers, and CORS."""

import random
import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from graphql_api.api.http.negotiation import GRAPHQL_PATH
from graphql_api.domain.calendars.service import PATH as CALENDARS
from graphql_api.infra import request_log
from graphql_api.infra.concurrency.deadline import clear_deadline, set_deadline
from graphql_api.infra.request_log import RequestRecord
from graphql_api.infra.serving.wsgi import Headers

SAFE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Server", "http"),  # the software and its version would only help attackers
)
# A year (RFC 6797); sent over TLS only, as it must be.
STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")

CORS_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
CORS_REQUEST_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    *("Last-Event-ID", "Prefer", "X-GraphQL-Cost", "X-Request-Id"),
)
CORS_RESPONSE_HEADERS = (
    *("ETag", "Link", "Location", "Preference-Applied", "Retry-After"),
    *("X-Changes-Cursor", "X-Incomplete", "X-Request-Id"),
)

SECRET_PATHS = f"{CALENDARS}/"  # the rest of which is a secret

_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class RequestObserver(Protocol):
    """Hears of each request that it has started, has a response, and is finished."""

    def started(self) -> None:
        """Hear that a request is being answered."""

    def responded(self, request: RequestRecord, status: int) -> None:
        """Hear that it has a response."""

    def finished(self) -> None:
        """Hear that nothing of it is left to do."""


class RequestMiddleware:
    """Wraps all else: what is inside has the request's id, record and deadline.

    A process that is draining keeps no connection: the next request on it could meet its end.
    """

    def __init__(
        self,
        app: WSGIApplication,
        is_draining: Callable[[], bool],
        observer: RequestObserver | None = None,
    ) -> None:
        self._app = app
        self._is_draining = is_draining
        self._observer = observer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        request, observer = _bind(environ), self._observer
        if observer:
            observer.started()
        set_deadline()

        def start(status: str, headers: Headers, *error: Any) -> Any:
            code = int(status[:3])
            request_log.emit(code)
            if observer:
                observer.responded(request, code)
            return start_response(status, self._complete(headers, request, environ), *error)

        try:
            return self._app(environ, start)
        finally:
            if observer:
                observer.finished()
            request_log.unbind()
            clear_deadline()

    def _complete(
        self, headers: Headers, request: RequestRecord, environ: WSGIEnvironment
    ) -> Headers:
        """Return the headers with those that every response has."""
        if request.path == GRAPHQL_PATH:
            headers = _vary_by_accept(headers)
        names = {name for name, _ in headers}
        headers.append(("X-Request-Id", request.id))
        headers += [header for header in SAFE_HEADERS if header[0] not in names]
        if environ["wsgi.url_scheme"] == "https":
            headers.append(STRICT_TRANSPORT)
        if self._is_draining():
            headers.append(("Connection", "close"))
        return headers


def _bind(environ: WSGIEnvironment) -> RequestRecord:
    """Begin the record of a request, under the id that its client gave it if that is harmless.

    Method and path become what werkzeug reads in them: no layer may take them for others.
    """
    given = environ.get("HTTP_X_REQUEST_ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
    environ["REQUEST_METHOD"] = method = environ["REQUEST_METHOD"].upper()
    # A slash at the end changes nothing; a redirect would be built from the client's Host.
    environ["PATH_INFO"] = raw = "/" + environ["PATH_INFO"].lstrip("/").removesuffix("/")
    path = raw if raw.isascii() else raw.encode("latin-1").decode(errors="replace")
    if path.lower().startswith(SECRET_PATHS):  # whoever reads the log could read the calendar
        path = f"{SECRET_PATHS}…"
    return request_log.bind(request_id, method, path, environ.get("REMOTE_ADDR", ""))


def _vary_by_accept(headers: Headers) -> Headers:
    """Return the headers with Accept in Vary, beside what else the response varies by."""
    values = [value for name, value in headers if name == "Vary"]
    others = [header for header in headers if header[0] != "Vary"]
    return [*others, ("Vary", ", ".join([*values, "Accept"]))]


class CORSMiddleware:
    """WSGI middleware that adds the headers of CORS (Fetch standard, section 3.2) to responses.

    Credentials are bearer tokens, which scripts send themselves: cookies are never allowed.
    """

    def __init__(self, app: WSGIApplication, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = {origin.lower() for origin in origins}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        origin = environ.get("HTTP_ORIGIN", "")
        added = [("Vary", "Origin")]  # also where there are no others: caches must not mix them up
        if origin.lower() in self._origins:
            added += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Expose-Headers", ", ".join(CORS_RESPONSE_HEADERS)),
            ]
            if environ["REQUEST_METHOD"] == "OPTIONS":
                added += _preflight_headers(environ)

        def start(status: str, headers: Headers, *error: Any) -> Any:
            return start_response(status, [*headers, *added], *error)

        return self._app(environ, start)


def _preflight_headers(environ: WSGIEnvironment) -> Headers:
    method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "").upper()
    if method not in CORS_METHODS.split(", "):
        return []
    return [
        ("Access-Control-Allow-Methods", CORS_METHODS),
        ("Access-Control-Allow-Headers", ", ".join(CORS_REQUEST_HEADERS)),
    ]
