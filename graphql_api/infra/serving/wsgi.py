"""WSGI (PEP 3333) for requests of RSGI: the environ of a scope, and an app's whole response."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol, TypeAlias
from wsgiref.types import WSGIApplication, WSGIEnvironment

Headers: TypeAlias = list[tuple[str, str]]

REFUSED = "graphql_api.refused"  # the status with which the app is to refuse a request
NO_HOST = 0  # such a refusal that is no HTTP status of its own

_CONSTANT = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_VARIABLES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class RSGIScope(Protocol):
    """The scope of a request over HTTP (RSGI 1.6)."""

    http_version: str
    scheme: str
    method: str
    path: str
    query_string: str
    server: str
    client: str
    headers: Mapping[str, str]


def build_environ(scope: RSGIScope, body: bytes, content_length: str) -> WSGIEnvironment:
    """Return the environ of a request with its body, and the length that the client gave for it."""
    host, port = split_address(scope.server)
    environ = {
        **_CONSTANT,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": split_address(scope.client)[0],
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _as_latin_1(scope.path),
        "QUERY_STRING": _as_latin_1(scope.query_string),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
    }
    pairs = scope.headers.items()
    for name, value in pairs:
        if variable := _variable(name):
            environ[variable] = f"{environ[variable]},{value}" if variable in environ else value
    if len(pairs) != len(scope.headers):  # some are there twice, or are not ASCII
        for name in scope.headers:
            if variable := _variable(name):
                environ.setdefault(variable, "")
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole
    environ["CONTENT_LENGTH"] = content_length
    return environ


def run_app(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, Headers, bytes]:
    """Return an app's response: its status, headers and whole body."""
    started: tuple[int, Headers] = (500, [])

    def start_response(status: str, headers: Headers, *_: Any) -> Any:
        nonlocal started
        started = int(status[:3]), headers

    parts = app(environ, start_response)
    try:
        body = parts[0] if isinstance(parts, list) and len(parts) == 1 else b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return *started, body


def is_ambiguous(header: str) -> bool:
    """Return whether a header would pass for another one, as WSGI does not tell `_` from `-`.

    A client's own `X_Forwarded_For` would be taken for the one that a proxy has written.
    """
    return "_" in header


@lru_cache(200)
def _variable(header: str) -> str | None:
    """Return the name of a header in the environ; None for an ambiguous one."""
    if is_ambiguous(header):
        return None
    return _VARIABLES.get(header) or "HTTP_" + header.upper().replace("-", "_")


def split_address(address: str) -> tuple[str, str]:
    """Return the host, of IPv6 without brackets and zone, and the port."""
    host, _, port = address.rpartition(":")
    return host.strip("[]").partition("%")[0], port


def _as_latin_1(text: str) -> str:
    """Return the UTF-8 bytes of a text as Latin-1, as WSGI has them."""
    return text if text.isascii() else text.encode().decode("latin-1")


def has_one_host(environ: WSGIEnvironment) -> bool:
    """Return whether a request says once what host it is for (RFC 9112, 3.2).

    Headers that are there twice are joined by a comma, which no host has in it.
    """
    if environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return True
    return "," not in environ.get("HTTP_HOST", ",")
