"""Requests over HTTP: their JSON, within its limits, and the context of their operations."""

from functools import cached_property
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson
from werkzeug import Request
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType
from werkzeug.http import parse_options_header

from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.http import negotiation
from graphql_api.domain.accounts.model import Client
from graphql_api.errors import BadUserInput
from graphql_api.infra.serving import body_limits


class HTTPRequest:
    """A request over HTTP: its environ (PEP 3333), which werkzeug parses where it is needed.

    That takes 9 of 300 µs of CPU, and operations by POST have no use for it.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]

    @cached_property
    def parsed(self) -> Request:
        """The request as werkzeug reads it, with a limit for its body."""
        # Populated, the environ would hold the request, which holds the environ.
        request = Request(self.environ, populate_request=False)
        request.max_content_length = body_limits.BODY_BYTES
        return request


def build_context(services: Services, request: HTTPRequest) -> Context:
    """Return the context of an operation: its services, its client and whom it acts for."""
    environ = request.environ
    client = Client(environ.get("HTTP_USER_AGENT", ""), environ.get("REMOTE_ADDR", ""))
    return services.context(environ.get("HTTP_AUTHORIZATION"), client)


def read_json(request: HTTPRequest) -> Any:
    """Return the JSON of the body; raise 413, 415 or BadUserInput if there is none."""
    environ = request.environ
    content_type = environ.get("CONTENT_TYPE", "")
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    is_common = content_type == negotiation.JSON and encoding == "identity"
    if not is_common and (complaint := _complaint(content_type, encoding)):
        raise UnsupportedMediaType(complaint)
    return parse_json(_read_body(request), "The body")


def _read_body(request: HTTPRequest) -> bytes:
    """Return the whole body; raise 413, or 400 if it ended early."""
    length = request.environ.get("CONTENT_LENGTH", "")
    if not body_limits.fits(length):
        return request.parsed.get_data(
            cache=False
        )  # werkzeug knows other servers' framing, and the limit
    body: bytes = request.environ["wsgi.input"].read(int(length))
    if len(body) < int(length):
        raise ClientDisconnected
    return body


def _complaint(content_type: str, encoding: str) -> str | None:
    """Return what is wrong with the headers of a body; None if nothing is."""
    media_type, parameters = parse_options_header(content_type)
    if media_type.lower() != negotiation.JSON:
        return "Send application/json."
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        return "Send JSON in UTF-8."
    if encoding.lower() != "identity":
        return "Send the body without a Content-Encoding."
    return None


def parse_json(text: bytes | str, subject: str, field: str | None = None) -> Any:
    """Return the value of a JSON text (RFC 8259: UTF-8, no NaN); raise BadUserInput if it is none.

    A value that is nested deeply is refused: recursion over it could exhaust the stack. `subject`
    begins the messages.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadUserInput(f"{subject} is not valid JSON: {error.msg}.", field) from None
    except UnicodeEncodeError:
        raise BadUserInput(f"{subject} is not valid Unicode.", field) from None
    if not (_has_few_brackets(text) or body_limits.within(value, body_limits.JSON_NESTING)):
        raise BadUserInput(
            f"{subject} is nested deeper than {body_limits.JSON_NESTING} levels.", field
        )
    return value


def _has_few_brackets(text: bytes | str) -> bool:
    """Return whether too few lists and objects begin in a text to be nested deeply."""
    brackets = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    return sum(map(text.count, brackets)) <= body_limits.JSON_NESTING  # type: ignore[arg-type]  # of its own kind
