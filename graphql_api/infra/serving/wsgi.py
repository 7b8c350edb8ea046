"""WSGI (PEP 3333): what a request of granian's is in it."""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Protocol, TypeAlias

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]
Wsgi: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

REFUSED = "graphql_api.refused"  # whose value is the status that a request gets, whatever it is

_ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_OWN_NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Given(Protocol):
    """The scope of a request over HTTP (RSGI 1.6)."""

    http_version: str
    scheme: str
    method: str
    path: str
    query_string: str
    server: str
    client: str
    headers: Mapping[str, str]


def environ(given: Given, body: bytes, length: str) -> Environ:
    """The request with its body, and the length that this is said to have."""
    host, port = _address(given.server)
    found = {
        **_ALWAYS,
        "SERVER_PROTOCOL": f"HTTP/{given.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": _address(given.client)[0],
        "REQUEST_METHOD": given.method,
        "PATH_INFO": _as_latin(given.path),
        "QUERY_STRING": _as_latin(given.query_string),
        "wsgi.url_scheme": given.scheme,
        "wsgi.input": BytesIO(body),
    }
    pairs = given.headers.items()
    for name, value in pairs:
        if variable := _variable(name):
            found[variable] = f"{found[variable]},{value}" if variable in found else value
    if len(pairs) != len(given.headers):  # some are there twice, or are no text
        for name in given.headers:
            if variable := _variable(name):
                found.setdefault(variable, "")
    found.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole
    found["CONTENT_LENGTH"] = length
    return found


def answer(app: Wsgi, request: Environ) -> tuple[int, Headers, bytes]:
    """What the app answers, as a whole."""
    begun: tuple[int, Headers] = (500, [])

    def start(status: str, headers: Headers, *_: Any) -> None:
        nonlocal begun
        begun = int(status[:3]), headers

    parts = app(request, start)
    try:
        body = parts[0] if isinstance(parts, list) and len(parts) == 1 else b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return *begun, body


def is_ambiguous(name: str) -> bool:
    """Whether a header would pass for another one, since `_` is the same as `-` in WSGI.

    A client's own `X_Forwarded_For` would be taken for the one that a proxy has written.
    """
    return "_" in name


@lru_cache(200)
def _variable(name: str) -> str | None:
    """What a header is called in WSGI; None if it would pass for another one."""
    if is_ambiguous(name):
        return None
    return _OWN_NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")


def _address(of: str) -> tuple[str, str]:
    """The host, of IPv6 without brackets and zone, and the port."""
    host, _, port = of.rpartition(":")
    return host.strip("[]").partition("%")[0], port


def _as_latin(text: str) -> str:
    """The bytes of its UTF-8, as WSGI has them."""
    return text if text.isascii() else text.encode().decode("latin-1")
