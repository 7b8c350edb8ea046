"""Responses of JSON, and of pages and their files."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from http import HTTPStatus
from typing import IO, Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from flask import Response

from graphql_api.api.http import negotiation
from graphql_api.api.http.compression import COMPRESSIBLE, LEAST, accepts_gzip, compress
from graphql_api.api.pages.graphiql import Asset
from graphql_api.infra.serving.streams import STREAM

PART = 64 * 1024  # bytes of a file that are read at a time
SMALL_FILE = 1024 * 1024  # bytes that may be in memory


class JSONResponse(Response):
    """A response whose body is there as a whole, with the headers that belong to it."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333), without werkzeug's copies of what is complete."""
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code == HTTPStatus.NOT_MODIFIED:
            return super().__call__(environ, start_response)
        [body] = cast("list[bytes]", self.response)
        if len(body) > LEAST and environ.get(COMPRESSIBLE) and "ETag" not in self.headers:
            self.headers.add("Vary", "Accept-Encoding")
            if accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
                body = compress(body)
                self.headers["Content-Encoding"] = "gzip"
                self.headers["Content-Length"] = str(len(body))
        start_response(self.status, self.headers.to_wsgi_list())
        return [body]


def json_response(body: Any, status: int = 200, media_type: str = negotiation.JSON) -> Response:
    """Return a response of JSON in UTF-8; a body of bytes is JSON already."""
    content_type = f"{media_type}; charset=utf-8"
    is_encoded = isinstance(body, bytes)
    text = body if is_encoded else orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    return JSONResponse(text, status, content_type=content_type)


def file_response(file: IO[bytes], environ: WSGIEnvironment, media_type: str) -> Response:
    """Return a response that is a file, which is closed with it; the server sends a large one."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    body: Iterable[bytes] = _parts(file)
    if size > SMALL_FILE and environ.get(STREAM):
        environ[STREAM] = file
        body = ()
    headers = {"Content-Length": str(size)}
    return Response(body, headers=headers, mimetype=media_type, direct_passthrough=True)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(partial(file.read, PART), b"")


def html_response(html: str, content_security_policy: str) -> Response:
    """Return a page, with what it may load."""
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = content_security_policy
    return response


def asset_response(asset: Asset) -> Response:
    """Return a file of a page."""
    response = Response(asset.content, mimetype=asset.media_type)
    response.headers["Cache-Control"] = asset.cache_control
    return response
