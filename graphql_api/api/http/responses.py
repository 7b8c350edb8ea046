"""What goes back over HTTP: JSON, and the one place where errors become answers."""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.http import negotiation
from graphql_api.api.http.compression import COMPRESSIBLE, LEAST, accepts_gzip, compress
from graphql_api.errors import AppError, BadUserInput, InternalError
from graphql_api.infra import request_log
from graphql_api.infra.serving import body_limits

PROBLEM = "application/problem+json"

# Named here, since Python's names change from version to version.
_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: AppError.code,
}
TEXTS = {
    404: "There is no such path.",
    405: "The path does not know this method.",
    413: f"The body is larger than {body_limits.BODY_BYTES // 1024} KiB.",
}

log = logging.getLogger(__name__)


class Json(Response):
    """An answer whose body is there as a whole, with the headers that belong to it."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333), with no copies made of what is ready."""
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
    """An answer of JSON in UTF-8; a body of bytes is JSON already."""
    content_type = f"{media_type}; charset=utf-8"
    is_written = isinstance(body, bytes)
    text = body if is_written else orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    return Json(text, status, content_type=content_type)


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """An error outside GraphQL, as RFC 9457 has it; `error` and `message` are for old clients."""
    request_log.annotate(codes=(code,))
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


def present(error: Exception, environ: Mapping[str, Any]) -> Response:
    """The answer to a request that ended so; what crashed gets its line in the log."""
    match error:
        case AppError():
            return failure(error, environ)
        case HTTPException():
            status = error.code or 500
            code = _transport_code(status, environ)
            response = _error_response(status, code, _text(error, status), environ)
            if isinstance(error, MethodNotAllowed) and error.valid_methods:
                response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
            return response
        case _:
            log.error("Request %s crashed", request_log.request_id(), exc_info=error)
            return present(InternalError(request_log.request_id()), environ)


def failure(error: AppError, environ: Mapping[str, Any], status: int | None = None) -> Response:
    """An error in the form of the request's path: GraphQL's own, or that of RFC 9457."""
    spell = camel_case if environ["PATH_INFO"] == negotiation.GRAPHQL_PATH else str
    message, details = error.render(spell)
    response = _error_response(status or error.status, error.code, message, environ, **details)
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def _error_response(
    status: int, code: str, message: str, environ: Mapping[str, Any], **details: Any
) -> Response:
    if environ["PATH_INFO"] != negotiation.GRAPHQL_PATH:
        return problem(status, code, message, **details)
    media_type = negotiation.choose(environ.get("HTTP_ACCEPT", "")) or negotiation.JSON
    request_log.annotate(codes=(code,))
    body = {"errors": [{"message": message, "extensions": {"code": code, **details}}]}
    return _headed(json_response(body, status, media_type), status)


def _text(error: HTTPException, status: int) -> str:
    """What went wrong: what we have said ourselves, or in place of what the library says."""
    if error.description and error.description != type(error).description:
        return error.description
    return TEXTS.get(status, error.description or "")


def _headed(response: Response, status: int, retry_after: int | None = None) -> Response:
    """An error's answer with the headers that tell a client what to do."""
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _transport_code(status: int, environ: Mapping[str, Any]) -> str:
    """The code of an error of HTTP itself: from GraphQL's closed list there, else its name."""
    if environ["PATH_INFO"] != negotiation.GRAPHQL_PATH:
        return _CODES.get(status, HTTPStatus(status).name)
    return BadUserInput.code if status < HTTPStatus.INTERNAL_SERVER_ERROR else AppError.code
