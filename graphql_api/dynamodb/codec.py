"""Dataclasses to DynamoDB items and back, in the wire's typed form (`{"S": "text"}`)."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import MISSING, fields
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from graphql_api import clock
from graphql_api.errors import ServiceUnavailable

T = TypeVar("T")

log = logging.getLogger(__name__)
Wire = dict[str, Any]
Item = dict[str, Wire]
_Reader = tuple[str, Callable[[Wire], Any]]


def value(plain: Any) -> Wire:
    """One value in its wire form."""
    match plain:
        case Enum():
            return {"S": plain.value}
        case str():
            return {"S": plain}
        case bool():
            return {"BOOL": plain}
        case int():
            return {"N": str(plain)}
        case datetime():
            return {"S": clock.text(plain)}
        case list() | tuple():
            return {"L": [value(element) for element in plain]}
    raise TypeError(f"{type(plain).__name__} has no DynamoDB form here")


def item(**attributes: Any) -> Item:
    """An item of these attributes; what is None is left out."""
    return {name: value(plain) for name, plain in attributes.items() if plain is not None}


def encode(record: Any) -> Item:
    """The item that keeps a dataclass; a field that is None is left out."""
    return item(**{field.name: getattr(record, field.name) for field in fields(record)})


def decode(kind: type[T], stored: Item) -> T:
    """The dataclass that an item keeps; attributes of other names are not its business.

    A field that is not there has its default, or is None without one. Raises ServiceUnavailable
    for what no such dataclass was ever kept as.
    """
    required, optional = _readers(cast("Hashable", kind))
    try:
        values = {n: read(stored[n]) if n in stored else None for n, read in required}
        for name, read in optional:
            if name in stored:
                values[name] = read(stored[name])
        return kind(**values)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        log.error("An item is no %s: %r", kind.__name__, error)  # noqa: TRY400 - of the item no more than that
        raise ServiceUnavailable from None


@cache
def _readers(kind: Any) -> tuple[list[_Reader], list[_Reader]]:
    """How to read each field: those without a default, and those with one."""
    hints = get_type_hints(kind)
    readers: tuple[list[_Reader], list[_Reader]] = ([], [])
    for field in fields(kind):
        readers[field.default is not MISSING].append((field.name, _reader(hints[field.name])))
    return readers


def _reader(hint: Any) -> Callable[[Wire], Any]:
    if isinstance(hint, UnionType):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    if hint is str:
        return lambda wire: wire["S"]
    if hint is bool:
        return lambda wire: wire["BOOL"]
    if hint is int:
        return lambda wire: int(wire["N"])
    if hint is datetime:
        return lambda wire: datetime.fromisoformat(wire["S"])
    if get_origin(hint) is tuple:
        read = _reader(get_args(hint)[0])
        return lambda wire: tuple(read(element) for element in wire["L"])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda wire: hint(wire["S"])
    raise TypeError(f"no way to read {hint} from DynamoDB")
