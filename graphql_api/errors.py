"""Errors by name, each with its GraphQL code and its HTTP status.

AppError
├── BadUserInput           400, with the field
├── ParseFailed            400
├── ValidationFailed       400
├── UnknownOperation       400
├── PersistedQueryNotFound 400
├── QueryTooComplex        400
├── Unauthenticated        401
├── Forbidden              403
├── NotFound               404
├── Conflict               409
├── RateLimited            429, with retryAfter
├── ServiceUnavailable     503, with retryAfter
└── InternalError          500, with the request id

`StartError` is separate: it stops the process before it serves requests.
"""

from typing import Any, ClassVar

MAX_MESSAGE = 500  # characters, so that no error repeats a large input


class StartError(Exception):
    """The service cannot start; the message is one line for the operator."""


class AppError(Exception):
    """An error that the client can act on."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        too_long = len(message) > MAX_MESSAGE
        self.message = message[: MAX_MESSAGE - 1] + "…" if too_long else message
        self.details = details

    @property
    def extensions(self) -> dict[str, Any]:
        """The code and details, as in `extensions` of a GraphQL error."""
        return {"code": self.code, **self.details}


class InternalError(AppError):
    """A fault of the service; the log has the details under the request id."""

    def __init__(self, request_id: str) -> None:
        super().__init__("Internal server error.", requestId=request_id)


class BadUserInput(AppError):
    """The input is invalid; `field` names the invalid part."""

    code, status = "BAD_USER_INPUT", 400

    def __init__(self, message: str, field: str | None = None, **details: Any) -> None:
        super().__init__(message, **({"field": field} if field else {}), **details)


class ParseFailed(AppError):
    """The document is not GraphQL."""

    code, status = "GRAPHQL_PARSE_FAILED", 400


class ValidationFailed(AppError):
    """The document does not match the schema."""

    code, status = "GRAPHQL_VALIDATION_FAILED", 400


class UnknownOperation(AppError):
    """The operation to run is missing or ambiguous."""

    code, status = "OPERATION_RESOLUTION_FAILURE", 400


class PersistedQueryNotFound(AppError):
    """The hash of a persisted query is unknown: the client sends the document with it."""

    code, status = "PERSISTED_QUERY_NOT_FOUND", 400


class QueryTooComplex(AppError):
    """The request would cost more than one request may."""

    code, status = "QUERY_TOO_COMPLEX", 400


class Unauthenticated(AppError):
    """The request has no valid credentials."""

    code, status = "UNAUTHENTICATED", 401


class Forbidden(AppError):
    """The request is not allowed, whoever makes it."""

    code, status = "FORBIDDEN", 403


class NotFound(AppError):
    """The viewer has no such object."""

    code, status = "NOT_FOUND", 404


class Conflict(AppError):
    """The current state does not allow this."""

    code, status = "CONFLICT", 409


class RateLimited(AppError):
    """Too many attempts; `retryAfter` is in seconds."""

    code, status = "RATE_LIMITED", 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, retryAfter=retry_after)


class ServiceUnavailable(AppError):
    """The store is unreachable or the service overloaded; `retryAfter` is in seconds."""

    code, status = "SERVICE_UNAVAILABLE", 503

    def __init__(self, message: str = "The service is unavailable, try again.") -> None:
        super().__init__(message, retryAfter=1)


class UnknownOutcome(ServiceUnavailable):
    """The store's response to a write was lost: it may have been applied."""

    def __init__(self) -> None:
        super().__init__(
            "It is unknown whether this write was applied. Check before you try again."
        )


STATUS: dict[str, int] = {error.code: error.status for error in AppError.__subclasses__()}
"""HTTP status by error code."""
