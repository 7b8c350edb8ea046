"""Dataclasses to DynamoDB items and back, in the wire's typed form (`{"S": "text"}`)."""

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
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
_Read = Callable[[Any], Any]
_Write = Callable[[Any], Wire]


class Raw(dict[str, Wire]):
    """Attributes in their wire form, kept within an item as they are."""


def value(plain: Any) -> Wire:
    """One value in its wire form."""
    return _WRITERS.get(type(plain), _value)(plain)


def _value(plain: Any) -> Wire:
    """The same, of types that have no writer of their own yet."""
    for kind in type(plain).__mro__:
        if kind in _WRITERS:
            write = _WRITERS[type(plain)] = _WRITERS[kind]
            return write(plain)
    if isinstance(plain, Mapping):
        return {"M": item(**plain)}
    if is_dataclass(plain):
        return {"M": encode(plain)}
    raise TypeError(f"{type(plain).__name__} has no DynamoDB form here")


def _number(plain: float) -> Wire:
    return {"N": str(plain)}


def _list(plain: Iterable[Any]) -> Wire:
    return {"L": [value(element) for element in plain]}


_WRITERS: dict[type, _Write] = {
    Raw: lambda plain: {"M": plain},
    str: lambda plain: {"S": plain},
    bool: lambda plain: {"BOOL": plain},
    int: _number,
    float: _number,
    list: _list,
    tuple: _list,
    Enum: lambda plain: {"S": str(plain.value)},
    datetime: lambda plain: {"S": clock.text(plain)},
    date: lambda plain: {"S": plain.isoformat()},
    time: lambda plain: {"S": plain.isoformat(timespec="minutes")},
}


def item(**attributes: Any) -> Item:
    """An item of these attributes; what is None is left out."""
    return {name: value(plain) for name, plain in attributes.items() if plain is not None}


def encode(record: Any) -> Item:
    """The item that keeps a dataclass; a field that is None is left out."""
    kept: Item = {}
    for name in _names(cast("Hashable", type(record))):
        plain = getattr(record, name)
        if plain is not None:
            kept[name] = _WRITERS.get(type(plain), _value)(plain)
    return kept


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def decode(kind: type[T], stored: Item) -> T:
    """The dataclass that an item keeps; attributes of other names are not its business.

    A field that is not there has its default, or is None without one. Raises ServiceUnavailable
    for what no such dataclass was ever kept as.
    """
    return decoder(kind)(stored)


def decoder(kind: type[T]) -> Callable[[Item], T]:
    """What decodes items of this kind, one after the other."""
    return cast("Callable[[Item], T]", _decoder(cast("Hashable", kind)))


@cache
def _decoder(kind: Any) -> Callable[[Item], Any]:
    readers, absent = _readers(kind)

    def decode(stored: Item) -> Any:
        values = absent.copy()
        try:
            for name, wire in stored.items():
                if name in readers:
                    letter, read = readers[name]
                    values[name] = wire[letter] if read is None else read(wire[letter])
            return kind(**values)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            log.error("An item is no %s: %r", kind.__name__, error)  # noqa: TRY400 - of the item no more than that
            raise ServiceUnavailable from None

    return decode


def some(record: Any, names: Iterable[str]) -> Raw:
    """These fields of a dataclass in their wire form; those that are None are left out."""
    return Raw(item(**{name: getattr(record, name) for name in names}))


def values(kind: Any, raw: Raw, names: Iterable[str]) -> dict[str, Any]:
    """These fields of a dataclass from their wire form; None for one that is not there."""
    readers, _ = _readers(kind)
    found: dict[str, Any] = dict.fromkeys(names)
    for name in found.keys() & raw.keys():
        letter, read = readers[name]
        found[name] = raw[name][letter] if read is None else read(raw[name][letter])
    return found


def texts(raw: Raw, name: str) -> tuple[str, ...]:
    """A list of texts from its wire form; empty if it is not there."""
    return tuple(element["S"] for element in raw.get(name, {"L": ()})["L"])


def _readers(kind: Any) -> tuple[dict[str, tuple[str, _Read | None]], dict[str, None]]:
    """By field its letter on the wire and how to read it; and those that are None without one."""
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    return readers, {field.name: None for field in fields(kind) if field.default is MISSING}


_PLAIN: dict[Any, tuple[str, _Read | None]] = {
    str: ("S", None),
    bool: ("BOOL", None),
    int: ("N", int),
    float: ("N", float),
    datetime: ("S", datetime.fromisoformat),
    date: ("S", date.fromisoformat),
    time: ("S", time.fromisoformat),
    Raw: ("M", Raw),
}


def _reader(hint: Any) -> tuple[str, _Read | None]:
    if isinstance(hint, UnionType):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is tuple:
        letter, read = _reader(get_args(hint)[0])
        if read is None:
            return "L", lambda elements: tuple([wire[letter] for wire in elements])
        return "L", lambda elements: tuple([read(wire[letter]) for wire in elements])
    if get_origin(hint) is Mapping:
        letter, read = _reader(get_args(hint)[1])
        kept = read or _as_it_is
        return "M", lambda elements: {n: kept(wire[letter]) for n, wire in elements.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "S", {member.value: member for member in hint}.__getitem__
    if isinstance(hint, type) and is_dataclass(hint):
        return "M", lambda wire: decode(hint, wire)
    raise TypeError(f"no way to read {hint} from DynamoDB")


def _as_it_is(value: Any) -> Any:
    return value
