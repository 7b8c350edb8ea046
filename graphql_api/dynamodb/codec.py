"""Dataclasses to DynamoDB items and back, in the wire's typed form (`{"S": "text"}`)."""

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
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
        case bool():
            return {"BOOL": plain}
        case int() | float():
            return {"N": str(plain)}
        case list() | tuple():
            return {"L": [value(element) for element in plain]}
        case Mapping():
            return {"M": item(**plain)}
    if is_dataclass(plain):
        return {"M": encode(plain)}
    return {"S": _text(plain)}


def _text(plain: Any) -> str:
    match plain:
        case str():
            return plain
        case Enum():
            return str(plain.value)
        case datetime():
            return clock.text(plain)
        case date():
            return plain.isoformat()
        case time():
            return plain.isoformat(timespec="minutes")
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


_PLAIN: dict[Any, Callable[[Wire], Any]] = {
    str: lambda wire: wire["S"],
    bool: lambda wire: wire["BOOL"],
    int: lambda wire: int(wire["N"]),
    float: lambda wire: float(wire["N"]),
    datetime: lambda wire: datetime.fromisoformat(wire["S"]),
    date: lambda wire: date.fromisoformat(wire["S"]),
    time: lambda wire: time.fromisoformat(wire["S"]),
}


def _reader(hint: Any) -> Callable[[Wire], Any]:
    if isinstance(hint, UnionType):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is tuple:
        read = _reader(get_args(hint)[0])
        return lambda wire: tuple(read(element) for element in wire["L"])
    if get_origin(hint) is Mapping:
        read = _reader(get_args(hint)[1])
        return lambda wire: {name: read(element) for name, element in wire["M"].items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda wire: hint(wire["S"])
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda wire: decode(hint, wire["M"])
    raise TypeError(f"no way to read {hint} from DynamoDB")
