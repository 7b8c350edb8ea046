"""Responses to errors, in the form of the path: GraphQL's own, or that of RFC 9457."""

import logging
from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.http import negotiation
from graphql_api.api.http.responses import json_response
from graphql_api.errors import AppError, BadUserInput, InternalError
from graphql_api.infra import request_log
from graphql_api.infra.serving import body_limits

PROBLEM = "application/problem+json"

# By status. Python's own names change from version to version.
_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: AppError.code,
}
_MESSAGES = {
    404: "There is no such path.",
    413: f"The body is larger than {body_limits.BODY_BYTES // 1024} KiB.",
}

log = logging.getLogger(__name__)


def error_response(error: Exception, environ: Mapping[str, Any]) -> Response:
    """Return the response to a request that raised the error; log an unexpected one."""
    match error:
        case AppError():
            return app_error_response(error, environ)
        case HTTPException():
            return _http_error_response(error, environ)
        case _:
            log.error("Request %s crashed", request_log.request_id(), exc_info=error)
            return app_error_response(InternalError(request_log.request_id()), environ)


def app_error_response(
    error: AppError, environ: Mapping[str, Any], status: int | None = None
) -> Response:
    """Return the response to an error of ours, with its own status unless another one is given."""
    is_graphql = environ["PATH_INFO"] == negotiation.GRAPHQL_PATH
    spell, value = (camel_case, str) if is_graphql else (str, str.lower)
    message, details = error.render(spell, value)
    response = _response(status or error.status, error.code, message, environ, **details)
    return _with_retry_after(response, error.details.get("retry_after"))


def problem(status: int, code: str, detail: str, **details: Any) -> Response:
    """Return a problem (RFC 9457); `error` and `message` are for clients of the legacy service."""
    request_log.annotate(codes=(code,))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "error": detail,
        "message": detail,
        **details,
    }
    response = _with_challenge(json_response(body, status, PROBLEM))
    return _with_retry_after(response, details.get("retry_after"))


def not_found(message: str = _MESSAGES[404]) -> Response:
    """Return the problem of a path that leads nowhere."""
    return problem(404, _CODES[404], message)


def _http_error_response(error: HTTPException, environ: Mapping[str, Any]) -> Response:
    """Return the response to an error of HTTP itself, such as 405, which werkzeug raises."""
    status = error.code or 500
    response = _response(status, _code(status, environ), _message(error, environ), environ)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _code(status: int, environ: Mapping[str, Any]) -> str:
    """Return the code of a status: GraphQL has a closed list, elsewhere it is the status's name."""
    if environ["PATH_INFO"] != negotiation.GRAPHQL_PATH:
        return _CODES.get(status, HTTPStatus(status).name)
    return BadUserInput.code if status < HTTPStatus.INTERNAL_SERVER_ERROR else AppError.code


def _message(error: HTTPException, environ: Mapping[str, Any]) -> str:
    """Return the message that we raised the error with, or ours in place of the library's."""
    if error.description and error.description != type(error).description:
        return error.description
    if isinstance(error, MethodNotAllowed):
        method = environ["REQUEST_METHOD"]
        is_known = method in HTTPMethod.__members__
        return f"This path does not accept {method if is_known else 'this method'}."
    return _MESSAGES.get(error.code or 500, error.description or "")


def _response(
    status: int, code: str, message: str, environ: Mapping[str, Any], **details: Any
) -> Response:
    if environ["PATH_INFO"] != negotiation.GRAPHQL_PATH:
        return problem(status, code, message, **details)
    media_type = negotiation.choose(environ.get("HTTP_ACCEPT", "")) or negotiation.JSON
    request_log.annotate(codes=(code,))
    body = {"errors": [{"message": message, "extensions": {"code": code, **details}}]}
    return _with_challenge(json_response(body, status, media_type))


def _with_challenge(response: Response) -> Response:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _with_retry_after(response: Response, seconds: int | None) -> Response:
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
