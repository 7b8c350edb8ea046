"""Parameters of a route: path, headers, JSON body and query string become GraphQL variables.

An operation that writes has one variable, `$input`: its fields come from the path, from HEADERS
and from the body. An operation that reads has its variables from the path and the query string.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from werkzeug.http import parse_set_header

from graphql_api.api.http.requests import HTTPRequest, read_json
from graphql_api.api.rest.operations import Operation, snake_case, wording
from graphql_api.api.rest.query import QueryParameters, read_boolean
from graphql_api.api.rest.routes import Route
from graphql_api.errors import FIELD, BadUserInput, Path

INPUT = "input"
MERGE_DISJOINT, MERGE = "mergeDisjoint", "merge"  # a field, and the preference for it

_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)  # RFC 9110, section 8.8.3
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)  # what fits GraphQL's Int


class Header(NamedTuple):
    """A request header, and how the value of an input's field is read from it."""

    name: str
    read: Callable[[str], Any]


class BodyField(NamedTuple):
    """A field of an input, under the name that the schema has for it."""

    name: str
    field: GraphQLInputField


class Parameters:
    """The parameters of a route, by where they come from."""

    def __init__(self, route: Route, operation: Operation) -> None:
        arguments = dict(operation.variables)
        self.input_type = cast(
            "GraphQLInputObjectType | None", get_nullable_type(arguments.pop(INPUT, None))
        )
        fields = self.input_type.fields if self.input_type else {}
        self.path = {
            name: _target(name, fields if self.input_type else arguments, route)
            for name in re.findall(r"<(\w+)>", route.path)
        }
        self.headers = {name: HEADERS[name] for name in fields if name in HEADERS}
        elsewhere = {*self.path.values(), *self.headers}
        self.body = {
            name: field for name, field in _fields(fields).items() if field.name not in elsewhere
        }
        self.flags, self.body_is_optional = route.flags, route.body_is_optional
        # What a resource shows and nobody sets.
        read_only = operation.result.fields.keys() - self.body.keys()
        self.ignored = read_only if route.takes_response else frozenset()
        self.query = QueryParameters(
            {name: type_ for name, type_ in arguments.items() if name not in elsewhere}, route
        )
        own = self._names()
        self.headers |= {name: Header(text, _or_none) for name, text in route.headers.items()}
        self.wording = wording({**operation.names, **own})

    def variables(self, request: HTTPRequest, path: Mapping[str, str]) -> dict[str, Any]:
        """Return the variables of a request. Raises BadUserInput, 413 and 415."""
        variables = self.from_path(path)
        if self.input_type is not None:
            return {INPUT: {**variables, **self._input(request)}}
        if self.query:
            variables |= self.query.parse(request.environ.get("QUERY_STRING", "")).variables
        return variables | self._from_headers(request)

    def _names(self) -> dict[str, str]:
        """The names of what is not in the body, by those that the schema has, in snake_case."""
        of_query = {parameter.target[-1]: name for name, parameter in self.query.items()}
        of_headers = {field: header.name for field, header in self.headers.items()}
        of_path = {field: name for name, field in self.path.items()}
        named = {**of_query, **of_headers, **of_path}
        return {snake_case(field): name for field, name in named.items()}

    def from_path(self, path: Mapping[str, str]) -> dict[str, Any]:
        """Return the variables, or the fields of `$input`, that the path has."""
        return {self.path[name]: text for name, text in path.items()}

    def _input(self, request: HTTPRequest) -> dict[str, Any]:
        """Return the fields of `$input` that are not from the path."""
        values = self._from_headers(request)
        for flag in self.flags:
            if flag in request.parsed.args:
                values[self.body[flag].name] = read_boolean(flag, request.parsed.args[flag])
        if not self.body or (self.body_is_optional and _has_no_body(request)):
            return values
        body = read_json(request)
        if not isinstance(body, dict):
            raise BadUserInput("The body must be a JSON object.")
        known = {name: value for name, value in body.items() if name not in self.ignored}
        return values | _object(self.body, known)

    def _from_headers(self, request: HTTPRequest) -> dict[str, Any]:
        return {
            name: value
            for name, header in self.headers.items()
            if header.name in request.parsed.headers
            and (value := header.read(request.parsed.headers[header.name])) is not None
        }


def _has_no_body(request: HTTPRequest) -> bool:
    """Return whether a request says that nothing follows its headers."""
    return request.environ.get("CONTENT_LENGTH", "") in {"", "0"}


def _target(name: str, targets: Mapping[str, Any], route: Route) -> str:
    """Return the variable, or the field of the input, that a part of the path is for."""
    found = next((target for target in targets if snake_case(target) == name), "id")
    if found not in targets:
        raise ValueError(f"{route.operation}: nothing takes <{name}> of {route.path}")
    return found


def _fields(fields: Mapping[str, GraphQLInputField]) -> dict[str, BodyField]:
    return {snake_case(name): BodyField(name, field) for name, field in fields.items()}


@cache
def fields_of(type_: GraphQLInputObjectType) -> dict[str, BodyField]:
    """Return the fields of an input by REST's names, but for inputs of its own type in it."""
    flat = {n: field for n, field in type_.fields.items() if get_named_type(field.type) != type_}
    return _fields(flat)


def _object(
    fields: Mapping[str, BodyField], body: Mapping[str, Any], at: Path = ()
) -> dict[str, Any]:
    """Return the object at a place, with the schema's names. Raises BadUserInput."""
    for name in body:
        if name not in fields:
            raise BadUserInput(f"There is no field {name}.", (*at, name))
    given = ((fields[name], (*at, name), value) for name, value in body.items())
    return {field.name: _value(field.field.type, value, path) for field, path, value in given}


def _value(type_: GraphQLInputType, value: Any, at: Path) -> Any:
    """Return a value with the schema's names and enum values, one of another type as it is.

    Raises BadUserInput for a number in the place of an id: GraphQL would take it for a text.
    """
    nullable = get_nullable_type(type_)
    if is_list_type(nullable) and isinstance(value, list):
        return [_value(nullable.of_type, each, (*at, n)) for n, each in enumerate(value)]
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType) and isinstance(value, dict):
        return _object(fields_of(named), value, at)
    if isinstance(named, GraphQLEnumType) and isinstance(value, str):
        return value.upper()
    if named is GraphQLID and isinstance(value, int):
        raise BadUserInput(f"{FIELD} must be a text.", at)
    return value


def _version(header: str) -> int | None:
    """Return the version in an If-Match header: None for any, 0 for one that nothing has."""
    if header.strip() == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(header.strip())
    if tag is None:
        raise BadUserInput('If-Match must be one entity tag, such as "3".', "If-Match")
    weak, version = tag.groups()
    return int(version) if not weak and _VERSION.fullmatch(version) else 0


def _key(header: str) -> str:
    """Return the key in an Idempotency-Key header, which may have quotes around it."""
    return header.strip().strip('"')


def _prefers_merge(header: str) -> bool | None:
    """Return whether a Prefer header (RFC 7240) names `merge`; None if not."""
    return True if MERGE in parse_set_header(header) else None


def _or_none(header: str) -> str | None:
    """Return the text of a header, which may be empty."""
    return header.strip() or None


HEADERS: Mapping[str, Header] = {
    "expectedVersion": Header("If-Match", _version),
    "idempotencyKey": Header("Idempotency-Key", _key),
    MERGE_DISJOINT: Header("Prefer", _prefers_merge),
}
