"""Answers to GraphQL requests, and the form of their errors (GraphQL, section 7.1)."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLError, VariableNode

from graphql_api.errors import (
    FIELD,
    AppError,
    BadUserInput,
    InternalError,
    Spelling,
    ValidationFailed,
)
from graphql_api.infra import request_log

# graphql-core suggests names, and selections such as `viewer { ... }`, at the end of a message.
_SUGGESTION = re.compile(r" Did you mean [^?]*\?$")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and its form in a response (GraphQL, section 7.1.6)."""

    error: AppError
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request: data, errors, or both.

    `executed` is False for a request error: then there is no data, not even null.
    """

    data: dict[str, Any] | None
    errors: Sequence[Failure] = ()
    executed: bool = True
    text: bytes | None = None  # the body as JSON, where it may have been too large
    extensions: dict[str, Any] | None = None  # what the client has asked to be told beside it

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its errors."""
        return tuple(failed.error.code for failed in self.errors)

    @property
    def body(self) -> dict[str, Any]:
        """The answer as it goes over the wire (GraphQL, section 7.1)."""
        errors = [failure.response for failure in self.errors]
        body: dict[str, Any] = {"errors": errors} if errors else {}
        if self.executed:
            body["data"] = self.data
        if self.extensions:
            body["extensions"] = self.extensions
        return body


class RequestErrors(Exception):
    """The request cannot be executed at all; `answer` says why."""

    def __init__(self, errors: Sequence[Failure]) -> None:
        super().__init__(errors)
        self.answer = Answer(None, errors, executed=False)

    @classmethod
    def of(cls, error: AppError, spell: Spelling = str) -> "RequestErrors":
        """Build it from a single error that has no location."""
        return cls([failure(error, spell)])


def failure(error: AppError, spell: Spelling = str) -> Failure:
    """Render an error that has no location."""
    message, details = error.render(spell)
    return Failure(error, {"message": message, "extensions": {"code": error.code, **details}})


def located_failure(core_error: GraphQLError, error: AppError, spell: Spelling = str) -> Failure:
    """Render an error with the location and the path of one of graphql-core's."""
    located, where = failure(error, spell), core_error.formatted
    located.response.update((name, where[name]) for name in ("locations", "path") if name in where)
    return located


def validation_failure(core_error: GraphQLError, *, suggestions: bool) -> Failure:
    """Render an error of validation, with or without suggestions of names in the schema."""
    message = core_error.message if suggestions else _SUGGESTION.sub("", core_error.message)
    return located_failure(core_error, ValidationFailed(_without_python(message)))


def input_error(core_error: GraphQLError) -> BadUserInput:
    """Explain why a variable does not fit the place where it is used."""
    node = next(iter(core_error.nodes or ()), None)
    # All else that a variable may be was checked against its own type.
    if isinstance(node, VariableNode):
        return BadUserInput(f"{FIELD} cannot be null.", node.name.value)
    return BadUserInput(_without_python(core_error.message))


def execution_failure(core_error: GraphQLError, spell: Spelling) -> Failure:
    """Render an error of an execution; a crash is logged under the request's id."""
    match core_error.original_error:
        case AppError() as error:
            return located_failure(core_error, error, spell)
        case None | GraphQLError() if not _is_at_field(core_error):
            return located_failure(core_error, input_error(core_error))
        case crash:
            request_id = request_log.request_id()
            log.error(
                "Request %s crashed at %s",
                request_id,
                core_error.path,
                exc_info=crash or core_error,
            )
            return located_failure(core_error, InternalError(request_id), spell)


def _is_at_field(core_error: GraphQLError) -> bool:
    """Tell an error of a resolver or its value from one of an argument, which is at a value."""
    return any(isinstance(node, FieldNode) for node in core_error.nodes or ())


def _without_python(message: str) -> str:
    """Say null as GraphQL does: graphql-core says None."""
    tail = " not to be None."
    return message.removesuffix(tail) + " not to be null." if message.endswith(tail) else message
