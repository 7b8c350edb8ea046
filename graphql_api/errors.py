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
├── CursorExpired          410, with the days that changes are kept
├── Conflict               409
├── RateLimited            429, with retry_after
├── ServiceUnavailable     503, with retry_after
└── InternalError          500, with the request_id

An error names fields as Python does; each API renders it with its own spelling.

`StartError` is separate: it stops the process before it serves requests.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, TypeAlias

MAX_MESSAGE = 500  # characters, so that no error repeats a large input

# Noncharacters of Unicode that stand in a message for the field's name and for the values it may
# have, until an API renders them.
FIELD = "\ufdd0"
VALUES = "\ufdd1"
_NAME = "\ufdd2"  # before and after the names of other fields: see `named`
_NAMED = re.compile(f"{_NAME}(\\w+){_NAME}")

ID = "id"  # the argument that names an object, where it has no other name

Path: TypeAlias = tuple[str | int, ...]  # names of fields and indices of lists, outermost first
Spelling: TypeAlias = Callable[[str], str]


def named(field: str) -> str:
    """Put the name of another field than the one at fault into a message, for APIs to spell."""
    return f"{_NAME}{field}{_NAME}"


class StartError(Exception):
    """The service cannot start; the message is one line for the operator."""


class FieldNames(tuple[str, ...]):
    """Names of fields among the details of an error, which each API spells its own way."""

    __slots__ = ()


class EnumName(str):
    """The name of an enum's value among the details of an error, which each API spells."""

    __slots__ = ()


class Wording(NamedTuple):
    """The spelling of the names of fields and of the values of enums by an API."""

    name: Spelling = str
    value: Spelling = str


class Rendered(NamedTuple):
    """The message and the details of an error, in the spelling of one API."""

    message: str
    details: dict[str, Any]


class AppError(Exception):
    """An error that the client can act on.

    `message` may contain FIELD, VALUES and what is `named`. `field` is the field at fault, or the
    path to it in a nested input. It and the names of `details` are spelled as in Python.
    """

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        field: str | Path | None = None,
        *,
        values: Sequence[str] = (),
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.path: Path = (field,) if isinstance(field, str) else field or ()
        self.details = details
        self._message = message
        self._values = values

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The message with the names of Python."""
        return self.render().message

    @property
    def field(self) -> str | None:
        """The name of the field at fault, if it is one."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), None)

    def render(self, name: Spelling = str, value: Spelling = str) -> Rendered:
        """Spell names and enum values as an API does.

        The details then have the `field`, and `at`, such as `tasks[3].dueAt`, for a nested one.
        """
        field = name(self.field) if self.field else ""
        at = _path_text(self.path, name)
        where = {"field": field, "at": at} if at != field else {"field": field}

        def spelled(detail: Any) -> Any:
            if isinstance(detail, FieldNames):
                return list(map(name, detail))
            return value(detail) if isinstance(detail, EnumName) else detail

        details = {name(key): spelled(detail) for key, detail in self.details.items()}
        values = ", ".join(map(value, self._values))
        text = self._message.replace(FIELD, field).replace(VALUES, values)
        text = _NAMED.sub(lambda found: name(found[1]), text)
        return Rendered(_cut(text), {**(where if field else {}), **details})


def _path_text(path: Path, name: Spelling) -> str:
    steps = (f".{name(step)}" if isinstance(step, str) else f"[{step}]" for step in path)
    return "".join(steps).removeprefix(".")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


@contextmanager
def below(*place: str | int, only: Collection[str] | None = None) -> Iterator[None]:
    """Put the field of an error that is raised within below a place: a field, or one of a list.

    Only fields of these names, if some are given: others lie elsewhere.
    """
    try:
        yield
    except AppError as error:
        if only is None or (error.path and error.path[0] in only):
            error.path = (*place, *error.path)
        raise


class InternalError(AppError):
    """A fault of the service; the log has the details under the request id."""

    def __init__(self, request_id: str) -> None:
        super().__init__("Internal server error.", request_id=request_id)


class BadUserInput(AppError):
    """The input is invalid; `field` names the invalid part."""

    code, status = "BAD_USER_INPUT", 400


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


class CursorExpired(AppError):
    """Changes after this cursor are no longer kept: list anew, and go on from there."""

    code, status = "CURSOR_EXPIRED", 410

    def __init__(self, retention: timedelta) -> None:
        super().__init__(
            f"Changes are kept for {retention.days} days, and the cursor is older: list your tasks"
            " anew.",
            field="after",
        )


class Conflict(AppError):
    """The current state does not allow this."""

    code, status = "CONFLICT", 409


class RateLimited(AppError):
    """Too many attempts; `retry_after` is in seconds."""

    code, status = "RATE_LIMITED", 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)


class ServiceUnavailable(AppError):
    """The store cannot be reached now; `retry_after` is in seconds."""

    code, status = "SERVICE_UNAVAILABLE", 503

    def __init__(
        self, message: str = "The service is unavailable, try again.", **details: Any
    ) -> None:
        super().__init__(message, retry_after=1, **details)


class UnknownOutcome(ServiceUnavailable):
    """The store's response to a write was lost: it may have been applied."""

    def __init__(self) -> None:
        super().__init__(
            "It is unknown whether this write was applied. Check before you try again."
        )


STATUS: dict[str, int] = {error.code: error.status for error in AppError.__subclasses__()}
"""HTTP status by error code."""
