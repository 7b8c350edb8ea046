"""What can go wrong, by name: each error knows its GraphQL code and its HTTP status.

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

`StartError` is apart: it stops the process before it serves anybody.
"""

from typing import Any, ClassVar

LONGEST_MESSAGE = 500  # characters: what was sent is not sent back many times over


class StartError(Exception):
    """The service cannot start; the text is one clear line for the person who starts it."""


class AppError(Exception):
    """An outcome that the client can act on."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        cut = len(message) > LONGEST_MESSAGE
        self.message = message[: LONGEST_MESSAGE - 1] + "…" if cut else message
        self.details = details

    @property
    def extensions(self) -> dict[str, Any]:
        """The error's code and details, as GraphQL shows them."""
        return {"code": self.code, **self.details}


class InternalError(AppError):
    """A fault of ours; the log has the details under the request id."""

    def __init__(self, request_id: str) -> None:
        super().__init__("Internal server error.", requestId=request_id)


class BadUserInput(AppError):
    """The client sent something that cannot be meant."""

    code, status = "BAD_USER_INPUT", 400

    def __init__(self, message: str, field: str | None = None, **details: Any) -> None:
        super().__init__(message, **({"field": field} if field else {}), **details)


class ParseFailed(AppError):
    """The document is not GraphQL."""

    code, status = "GRAPHQL_PARSE_FAILED", 400


class ValidationFailed(AppError):
    """The document does not fit the schema."""

    code, status = "GRAPHQL_VALIDATION_FAILED", 400


class UnknownOperation(AppError):
    """The request does not say which operation of the document to run."""

    code, status = "OPERATION_RESOLUTION_FAILURE", 400


class PersistedQueryNotFound(AppError):
    """The document behind this hash is not known here: send it along."""

    code, status = "PERSISTED_QUERY_NOT_FOUND", 400


class QueryTooComplex(AppError):
    """The document asks for more than one request may cost."""

    code, status = "QUERY_TOO_COMPLEX", 400


class Unauthenticated(AppError):
    """Nobody is known to be asking."""

    code, status = "UNAUTHENTICATED", 401


class Forbidden(AppError):
    """The viewer is known and may not do this."""

    code, status = "FORBIDDEN", 403


class NotFound(AppError):
    """There is no such thing for this viewer."""

    code, status = "NOT_FOUND", 404


class Conflict(AppError):
    """The state of things speaks against it."""

    code, status = "CONFLICT", 409


class RateLimited(AppError):
    """Too many attempts; `retryAfter` is in seconds."""

    code, status = "RATE_LIMITED", 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, retryAfter=retry_after)


class ServiceUnavailable(AppError):
    """The store cannot be reached now; `retryAfter` is in seconds."""

    code, status = "SERVICE_UNAVAILABLE", 503

    def __init__(self, message: str = "The service is unavailable, try again.") -> None:
        super().__init__(message, retryAfter=1)


class UnknownOutcome(ServiceUnavailable):
    """A write may have been done, though the store's answer did not come."""

    def __init__(self) -> None:
        super().__init__("It is not known whether this was done: look, and try again.")


STATUS: dict[str, int] = {error.code: error.status for error in AppError.__subclasses__()}
"""HTTP status by code."""
