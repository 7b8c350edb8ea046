"""What comes in over HTTP: the JSON of a body, and what else of a request GraphQL wants to know."""

from typing import Any

import orjson
from werkzeug import Request
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType
from werkzeug.http import parse_options_header

from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.http import negotiation
from graphql_api.domain.accounts.model import Client
from graphql_api.errors import BadUserInput
from graphql_api.infra.serving import body_limits


class Incoming(Request):
    """A request as werkzeug reads it, with a bound for its body."""

    max_content_length = body_limits.BODY_BYTES


def context_for_request(services: Services, request: Incoming) -> Context:
    """What resolvers get to know of a request."""
    environ = request.environ
    client = Client(environ.get("HTTP_USER_AGENT", ""), environ.get("REMOTE_ADDR", ""))
    return services.context(environ.get("HTTP_AUTHORIZATION"), client)


def json_body(request: Incoming) -> Any:
    """The request's JSON; 413, 415 or BadUserInput if there is none."""
    environ = request.environ
    content_type = environ.get("CONTENT_TYPE", "")
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    is_common = content_type == negotiation.JSON and encoding == "identity"
    if not is_common and (problem := _unreadable(content_type, encoding)):
        raise UnsupportedMediaType(problem)
    return parse_json(_body(request), "The body")


def _body(request: Incoming) -> bytes:
    """The whole body, if need be as werkzeug reads it; 413, or 400 if it ended early."""
    environ = request.environ
    length = environ.get("CONTENT_LENGTH", "")
    if not body_limits.fits(length):
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
    if not (_is_flat(text) or body_limits.within(value, body_limits.JSON_NESTING)):
        raise BadUserInput(
            f"{what} is nested deeper than {body_limits.JSON_NESTING} levels.", field
        )
    return value


def _is_flat(text: bytes | str) -> bool:
    """Whether a JSON text begins too few lists and objects to nest them deeply."""
    begins = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    return sum(map(text.count, begins)) <= body_limits.JSON_NESTING  # type: ignore[arg-type]  # of its own kind
