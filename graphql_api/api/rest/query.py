"""Query strings: the variables of an operation that reads, as parameters of its URL."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any, TypeAlias
from urllib.parse import urlencode

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)
from werkzeug import Request
from werkzeug.datastructures import MultiDict

from graphql_api.api.rest.operations import snake_case
from graphql_api.api.rest.routes import Route
from graphql_api.errors import FIELD, VALUES, BadUserInput

NAMES = {"first": "limit", "order_by": "sort"}  # of arguments, whichever the route
DIRECTIONS = {"": "ASC", "-": "DESC"}  # of an order, by what stands before its field
PAGED = {"limit", "after", "view"}  # parameters of lists that come in pages
BOOLEANS = {"true": True, "false": False}
MAX_CACHED = 200  # query strings of a route …
MAX_CACHED_LENGTH = 500  # … of so many characters

Read: TypeAlias = Callable[[str, str], Any]  # the name of a parameter, and its text

_INTEGER = re.compile(r"-?[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A parameter of a URL, and where in the variables its value goes.

    `orders` are the values of one that says how a list is sorted.
    """

    name: str
    target: tuple[str, ...]
    type: GraphQLInputType
    description: str = ""
    orders: tuple[str, ...] = ()

    @property
    def is_repeatable(self) -> bool:
        """True for a list."""
        return is_list_type(get_nullable_type(self.type))

    @property
    def is_comma_separated(self) -> bool:
        """True for a list, unless it is one of texts, which may have commas in them."""
        return self.is_repeatable and get_named_type(self.type).name != "String"

    def value(self, texts: list[str]) -> Any:
        """Return the variable's value. Raises BadUserInput."""
        read = self._read_order if self.orders else _reader(get_named_type(self.type))
        if not self.is_repeatable:
            return read(self.name, texts[0])
        parts = ",".join(texts).split(",") if self.is_comma_separated else texts
        return [read(self.name, part) for part in parts]

    def _read_order(self, name: str, text: str) -> dict[str, str]:
        if text not in self.orders:
            raise BadUserInput(f"{FIELD} must be one of {VALUES}.", name, values=self.orders)
        sign = "-" if text.startswith("-") else ""
        return {"field": text.removeprefix(sign).upper(), "direction": DIRECTIONS[sign]}


@dataclass(frozen=True, slots=True)
class Query:
    """A query string as variables; `base_query` is all of it but where a page begins."""

    variables: Mapping[str, Any]
    is_paged: bool
    base_query: str

    def after(self, cursor: str) -> str:
        """Return the query string of the page after a cursor."""
        return f"{self.base_query}after={cursor}"  # whose alphabet needs no quotes


class QueryParameters(Mapping[str, QueryParameter]):
    """The parameters of a route's URL, by name.

    Each field of a filter is one of them. So is the order of a list: `sort`, with `-` before the
    field for a descending one.
    """

    def __init__(self, variables: Mapping[str, GraphQLInputType], route: Route) -> None:
        names = {**NAMES, **route.names}
        self._parameters = {
            parameter.name: parameter
            for name, type_ in variables.items()
            for parameter in _parameters(name, type_, names)
        }
        self._aliases = route.aliases
        self._paged_orders = route.paged_orders
        self._parsed = lru_cache(MAX_CACHED)(self._parse)

    def __getitem__(self, name: str) -> QueryParameter:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def parse(self, text: str) -> Query:
        """Return the query that a text is, most of which come again. Raises BadUserInput."""
        return self._parsed(text) if len(text) <= MAX_CACHED_LENGTH else self._parse(text)

    def _parse(self, text: str) -> Query:
        given = Request({"QUERY_STRING": text}, populate_request=False).args
        pairs = given.items(multi=True)
        args = MultiDict((self._aliases.get(name, name), value) for name, value in pairs)
        self._check_names(args)
        variables: dict[str, Any] = {}
        for name, parameter in self._parameters.items():
            if name in args:
                *outer, last = parameter.target
                holder = reduce(lambda inner, step: inner.setdefault(step, {}), outer, variables)
                holder[last] = parameter.value(args.getlist(name))
        order = args.get("sort", "").removeprefix("-")
        is_paged = not args.keys().isdisjoint(PAGED) or order in self._paged_orders
        base = urlencode([pair for pair in args.items(multi=True) if pair[0] != "after"])
        return Query(variables, is_paged, f"{base}&" if base else "")

    def _check_names(self, args: MultiDict[str, str]) -> None:
        for name in args:
            if name not in self._parameters:
                raise BadUserInput(f"Unknown parameter: {name}", name)
            if not self._parameters[name].is_repeatable and len(args.getlist(name)) > 1:
                raise BadUserInput(f"{FIELD} can be given once only.", name)


def _parameters(
    variable: str, type_: GraphQLInputType, names: Mapping[str, str]
) -> Iterator[QueryParameter]:
    """Yield the parameters for a variable: one for each field of a filter."""
    input_type = get_nullable_type(type_)
    named = partial(_named, names=names)
    if not isinstance(input_type, GraphQLInputObjectType):
        yield named((variable,), type_)
    elif input_type.fields.keys() == {"field", "direction"}:
        yield named((variable,), type_, orders=_orders(input_type))
    else:
        for name, field in input_type.fields.items():
            if not is_input_object_type(get_named_type(field.type)):
                yield named((variable, name), field.type, field.description or "")


def _named(
    target: tuple[str, ...], *rest: Any, names: Mapping[str, str], **more: Any
) -> QueryParameter:
    name = snake_case(target[-1])
    return QueryParameter(names.get(name, name), target, *rest, **more)


def _orders(input_type: GraphQLInputObjectType) -> tuple[str, ...]:
    fields: Any = get_nullable_type(input_type.fields["field"].type)
    return tuple(f"{sign}{name.lower()}" for name in fields.values for sign in DIRECTIONS)


def _reader(type_: Any) -> Read:
    if isinstance(type_, GraphQLEnumType):
        return lambda _, text: text.upper()
    return _READERS.get(type_.name, lambda _, text: text)


def read_boolean(name: str, text: str) -> bool:
    """Return a boolean. Raises BadUserInput."""
    if text not in BOOLEANS:
        raise BadUserInput(f"{FIELD} must be true or false.", name)
    return BOOLEANS[text]


def _read_integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise BadUserInput(f"{FIELD} must be a whole number.", name)
    return int(text)


_READERS: Mapping[str, Read] = {"Boolean": read_boolean, "Int": _read_integer}
