"""The task fields of inputs, derived from `types.Task` and from the model's rules."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types.field import StrawberryField

from graphql_api.api.graphql.strawberry_extras import bounds_metadata, provided
from graphql_api.api.graphql.tasks.reminders import Reminder, ReminderInput
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.records import REQUIRED, FieldRules
from graphql_api.domain.tasks.model import RULES
from graphql_api.errors import StartError

T = TypeVar("T")

_INPUTS: dict[Any, Any] = {list[Reminder]: list[ReminderInput]}  # of types that are no inputs

# The type and the Strawberry field of an input, by the field's type in Task, its description and
# its rules.
Derive = Callable[[Any, str, FieldRules], tuple[Any, Any]]


def new_task_field(type_: Any, description: str, rules: FieldRules) -> tuple[Any, Any]:
    """A field of a new task: required, or with its initial value by default."""
    bounds = bounds_metadata(rules.bounds)
    if rules.initial is REQUIRED:
        return type_, strawberry.field(description=description, metadata=bounds)
    description += _default(rules.initial)
    return type_ | None, strawberry.field(default=UNSET, description=description, metadata=bounds)


def changed_field(type_: Any, description: str, rules: FieldRules) -> tuple[Any, Any]:
    """A field of a change: absent, or a value, or null where that clears it."""
    null = "Null clears it." if rules.is_clearable else "Cannot be null."
    return type_ | None, strawberry.field(
        default=UNSET,
        description=f"{description} {null}",
        metadata=bounds_metadata(rules.bounds),
    )


def with_task_fields(derive: Derive) -> Callable[[type[T]], type[T]]:
    """Add a field for each writable field of a task to an input, before the input's own."""

    def decorate(cls: type[T]) -> type[T]:
        annotations = {}
        for name, type_, description, rules in _writable_fields():
            annotations[name], field = derive(type_, description, rules)
            setattr(cls, name, field)
        cls.__annotations__ = annotations | cls.__annotations__
        return cls

    return decorate


def values_of(input: object) -> dict[str, Any]:
    """The fields that a client has provided, with the domain's types."""
    values = provided(vars(input))
    if values.get("reminders"):
        values["reminders"] = tuple(each.value() for each in values["reminders"])
    return values


def _default(initial: object) -> str:
    """A sentence on the initial value, unless it is nothing."""
    value = f"`{initial.name}`" if isinstance(initial, Enum) else initial
    return "" if value in {None, "", ()} else f" Default: {value}."


def _writable_fields() -> Iterator[tuple[str, Any, str, FieldRules]]:
    """Name, type, description and rules of each field that clients write. Raises StartError."""
    fields = _model_fields()
    for name, rules in RULES.items():
        if rules.is_writable:
            type_ = Task.__annotations__[name]
            yield name, _INPUTS.get(type_, type_), fields[name].description or "", rules


def _model_fields() -> dict[str, StrawberryField]:
    """The fields of Task that the model has. Raises StartError for one that one of them lacks."""
    declared = Task.__strawberry_definition__.fields  # type: ignore[attr-defined]  # set by strawberry.type
    visible = {name for name, rules in RULES.items() if not rules.is_internal}
    fields = {
        field.python_name: field
        for field in declared
        if field.base_resolver is None or field.python_name in visible
    }
    if different := fields.keys() ^ visible:
        names = ", ".join(sorted(different))
        raise StartError(
            f"domain/tasks/model.py and api/graphql/tasks/types.py: one Task lacks {names}"
        )
    return fields
