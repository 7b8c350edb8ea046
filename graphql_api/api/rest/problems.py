"""Problems: the errors of operations, as responses by RFC 9457."""

from flask import Response

from graphql_api.api.http.problems import problem
from graphql_api.errors import AppError, Conflict, Wording

PRECONDITION_FAILED = 412


class OperationFailed(Exception):
    """The operation behind a route had an error."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error)
        self.error = error


def problem_response(error: AppError, wording: Wording) -> Response:
    """Return an error with the route's names, which are others than the schema's and Python's."""
    message, details = error.render(*wording)
    return problem(_status(error), error.code, message, **details)


def _status(error: AppError) -> int:
    is_precondition = isinstance(error, Conflict) and error.field == "expected_version"
    return PRECONDITION_FAILED if is_precondition else error.status
