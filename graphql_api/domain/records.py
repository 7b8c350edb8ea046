"""Immutable records, and the rules of their fields."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, TypeAlias, TypeVar, dataclass_transform

from graphql_api.errors import FIELD, BadUserInput, Path
from graphql_api.ids import is_id

T = TypeVar("T")
Check: TypeAlias = Callable[[str, Any], Any]  # field, value -> the value to keep; BadUserInput

REQUIRED: Any = object()  # in the place of an initial value: clients have to give one


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The rules of a field: what clients may write, and whether they see it."""

    is_writable: bool = False
    is_internal: bool = False
    check: Check | None = None
    bounds: tuple[int, int] | None = None  # of a number, or of the length of a text
    initial: Any = REQUIRED  # in a new record
    is_clearable: bool = False  # null sets it to `initial`


def writable(
    check: Check | None = None,
    *,
    bounds: tuple[int, int] | None = None,
    initial: Any = REQUIRED,
    default: Any = MISSING,
    clearable: bool = False,
) -> Any:
    """Declare a field that clients write. Without a `check`, numbers have to be within `bounds`.

    A field of release 0.1.0 has an `initial` value in new records, or is required. A later field
    has a `default`: the value in new records, and in stored ones and archives that are older.
    """
    first = initial if default is MISSING else default
    rules = FieldRules(
        is_writable=True,
        check=check or (_number(*bounds) if bounds else None),
        bounds=bounds,
        initial=first,
        is_clearable=clearable or first is None,
    )
    return dataclasses.field(default=default, metadata={"rules": rules})


def derived(*, default: Any = MISSING) -> Any:
    """Declare a field that the service sets and clients see; a later one has a `default`."""
    rules = FieldRules() if default is MISSING else FieldRules(initial=default, is_clearable=True)
    return dataclasses.field(default=default, metadata={"rules": rules})


def internal(*, default: Any) -> Any:
    """Declare a field that clients neither write nor see. It makes no two records different."""
    rules = FieldRules(is_internal=True)
    return dataclasses.field(default=default, compare=False, metadata={"rules": rules})


def encoded() -> Any:
    """Declare a field that is kept as it is stored, and read only when it is needed."""
    rules = FieldRules(is_internal=True, initial=None, is_clearable=True)
    return dataclasses.field(default=None, hash=False, metadata={"rules": rules})


def rules_of(cls: type[Any]) -> Mapping[str, FieldRules]:
    """The rules of a record's fields. Raises TypeError for a field that has none."""
    fields = dataclasses.fields(cls)
    for field in fields:
        if "rules" not in field.metadata:
            ways = "writable(), derived(), internal() or encoded()"
            raise TypeError(f"{cls.__name__}.{field.name}: declare it as {ways}")
    return {field.name: field.metadata["rules"] for field in fields}


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(writable, derived, internal, encoded, dataclasses.field),
)
def immutable(cls: type[T]) -> type[T]:
    """Make a keyword-only dataclass that mypy lets nobody change.

    `frozen=True` would make each new task cost 2.2 µs instead of 0.5, and they are made by the
    hundred. Never get around mypy: a changed record in a set would be lost under its old hash.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)


def _number(low: int, high: int) -> Check:
    """The check of a whole number between two bounds."""

    def check(field: str, number: int | None) -> int | None:
        if number is not None and not low <= number <= high:
            raise BadUserInput(f"{FIELD} must be from {low} to {high}.", field)
        return number

    return check


def checked_id(field: str | Path, text: str) -> str:
    """Return an id that a client has given. Raises BadUserInput."""
    if not is_id(text):
        raise BadUserInput("An id must have 1 to 128 letters, digits, '_' or '-'.", field)
    return text
