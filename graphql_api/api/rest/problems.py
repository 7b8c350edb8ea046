"""Problems: the errors of operations, as responses by RFC 9457."""

from collections.abc import Mapping

from flask import Response

from graphql_api.api.http.problems import problem
from graphql_api.api.rest.operations import snake_case
from graphql_api.api.rest.parameters import HEADERS
from graphql_api.api.rest.query import NAMES
from graphql_api.api.rest.routes import Route
from graphql_api.errors import AppError, Conflict

PRECONDITION_FAILED = 412

_HEADER_NAMES = {snake_case(field): header.name for field, header in HEADERS.items()}


class OperationFailed(Exception):
    """The operation behind a route had an error."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error)
        self.error = error


def problem_response(error: AppError, route: Route, path: Mapping[str, str]) -> Response:
    """Return an error with the route's names, which are others than the schema's and Python's.

    `path` has the fields that the parts of the route's path are for.
    """
    of_path = {snake_case(field): name for name, field in path.items()}
    own_names = {**NAMES, **_HEADER_NAMES, **of_path, **route.names}

    def spell(name: str) -> str:
        return own_names.get(snake_case(name), snake_case(name))

    message, details = error.render(spell, str.lower)
    return problem(_status(error), error.code, message, **details)


def _status(error: AppError) -> int:
    is_precondition = isinstance(error, Conflict) and error.field == "expected_version"
    return PRECONDITION_FAILED if is_precondition else error.status
