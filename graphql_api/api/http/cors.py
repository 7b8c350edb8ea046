"""Cross-origin requests of browsers: which origins may read the service's responses."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from graphql_api.infra.serving.wsgi import Headers

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
REQUEST_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    "X-Request-Id",
)
RESPONSE_HEADERS = ("ETag", "Link", "Location", "Retry-After", "X-Incomplete", "X-Request-Id")


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
                ("Access-Control-Expose-Headers", ", ".join(RESPONSE_HEADERS)),
            ]
            if environ["REQUEST_METHOD"] == "OPTIONS":
                added += _preflight_headers(environ)

        def start(status: str, headers: Headers, *error: Any) -> Any:
            return start_response(status, [*headers, *added], *error)

        return self._app(environ, start)


def _preflight_headers(environ: WSGIEnvironment) -> Headers:
    if environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "").upper() not in METHODS.split(", "):
        return []
    return [
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", ", ".join(REQUEST_HEADERS)),
    ]
