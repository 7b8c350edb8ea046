"""JSON Schemas of GraphQL types, with REST's names (JSON Schema 2020-12, as in OpenAPI 3.1).

Objects and enums are components: each is described once, and referred to by its name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_nullable_type,
    is_required_input_field,
)

from graphql_api.api.graphql.strawberry_extras import bounds_of, is_condition
from graphql_api.api.rest.operations import Operations, SelectedField, Selection, snake_case
from graphql_api.api.rest.parameters import HEADERS, BodyField, Parameters, fields_of
from graphql_api.domain.accounts.model import USERNAME_LENGTH
from graphql_api.domain.paging import MAX_PAGE_SIZE
from graphql_api.domain.planner.model import (
    MAX_BUFFER,
    MAX_HORIZON_DAYS,
    MAX_SLACK,
    MAX_TASKS,
)
from graphql_api.domain.plans.options import MAX_BUSY
from graphql_api.domain.tasks.filters import MAX_DAYS, MAX_SEARCH_LENGTH
from graphql_api.domain.tasks.model import MAX_TAG_LENGTH
from graphql_api.domain.tasks.receipts import MAX_KEY_LENGTH

Json: TypeAlias = dict[str, Any]

SCALARS: Mapping[str, Json] = {
    "ID": {"type": "string"},
    "String": {"type": "string"},
    "Int": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time", "examples": ["2030-06-03T09:00:00Z"]},
    "Date": {"type": "string", "format": "date", "examples": ["2030-06-03"]},
    "LocalTime": {
        "type": "string",
        "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        "examples": ["09:00"],
    },
}

_NOT_BLANK = {"minLength": 1, "pattern": r"\S"}

# Rules of the models that JSON Schema can state, by fields of inputs and arguments of lists, where
# the field does not declare its bounds itself. How many tags or blockers there may be it cannot
# state, since those that are given twice count once.
BOUNDS: Mapping[str, Json] = {
    "username": {"minLength": USERNAME_LENGTH[0]},
    "password": {"minLength": 1},
    "title": _NOT_BLANK,
    "idempotencyKey": {"minLength": 1, "maxLength": MAX_KEY_LENGTH},
    "blockerIds": {"minItems": 1},
    "horizonDays": {"minimum": 1, "maximum": MAX_HORIZON_DAYS},
    "busy": {"maxItems": MAX_BUSY},
    "afterBlock": {"minimum": 0, "maximum": MAX_BUFFER},
    "aroundBusy": {"minimum": 0, "maximum": MAX_BUFFER},
    "dailySlackPercent": {"minimum": 0, "maximum": MAX_SLACK},
    "breakMinutes": {"minimum": 0, "maximum": MAX_BUFFER},
    "maxMinutesPerDay": {"minimum": 1, "maximum": 24 * 60},
    "maxMoves": {"minimum": 0, "maximum": MAX_TASKS},
    "first": {"minimum": 1, "maximum": MAX_PAGE_SIZE},
    "dueWithinDays": {"minimum": 0, "maximum": MAX_DAYS},
    "search": {"maxLength": MAX_SEARCH_LENGTH},
}
ELEMENT_BOUNDS: Mapping[str, Json] = {"tags": {**_NOT_BLANK, "maxLength": MAX_TAG_LENGTH}}

_CODE = re.compile(r"`[^`]+`")  # CommonMark, section 6.1
_NAME = re.compile(r"\w+")


def closed_object(properties: Json, required: Iterable[str]) -> Json:
    """Describe an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


class JsonSchemas:
    """Makes JSON Schemas, and collects the `components` that they refer to."""

    def __init__(self, schema: GraphQLSchema, operations: Operations) -> None:
        self.components: dict[str, Json] = {}
        mutations = schema.mutation_type.fields if schema.mutation_type else {}
        self._names = dict(_names(schema)) | {
            operation.root_field: operation.name
            for operation in operations.values()
            if operation.root_field in mutations
        }

    def text(self, description: str | None) -> str:
        """Return a description with REST's names where the schema's are marked as code."""
        return _CODE.sub(lambda code: _NAME.sub(self._rest_name, code[0]), description or "")

    def _rest_name(self, name: re.Match[str]) -> str:
        return self._names.get(name[0], name[0])

    def component(self, name: str, make: Callable[[], Json]) -> Json:
        """Refer to a component. Raises ValueError if there is another one of its name."""
        made = make()
        if self.components.setdefault(name, made) != made:
            raise ValueError(f"Two components are called {name}: name one by a fragment.")
        return {"$ref": f"#/components/schemas/{name}"}

    def resource(self, selection: Selection) -> Json:
        """Refer to the objects that a selection shows."""
        return self.component(
            selection.name,
            lambda: {
                "description": self.text(selection.type.description),
                **closed_object(self.resource_properties(selection), selection.fields),
            },
        )

    def resource_properties(self, selection: Selection) -> Json:
        """Describe the fields that a selection shows."""
        return {name: self._result_field(field) for name, field in selection.fields.items()}

    def body(self, parameters: Parameters) -> Json:
        """Refer to the objects that are sent to a route."""
        assert parameters.input_type  # noqa: S101  # nosec B101 - or there would be no body
        ignored = {name: {"description": "Ignored."} for name in sorted(parameters.ignored)}
        return self._input(
            parameters.input_type, parameters.body, ignored, parameters.input_type.name
        )

    def value(self, type_: Any, bounds: Json | None = None) -> Json:
        """Describe the values of a type, among them null if it is nullable."""
        schema = {**self.value_not_null(type_), **(bounds or {})}
        return _or_null(schema) if is_nullable_type(type_) else schema

    def value_not_null(self, type_: Any) -> Json:
        """Describe the values of a type but for null."""
        nullable = get_nullable_type(type_)
        if is_list_type(nullable):
            return {"type": "array", "items": self.value(nullable.of_type)}
        if isinstance(nullable, GraphQLEnumType):
            return self.component(nullable.name, lambda: self._enum(nullable))
        if isinstance(nullable, GraphQLInputObjectType):
            return self._input(nullable, fields_of(nullable), {}, _name_within(nullable))
        return dict(SCALARS[nullable.name])

    def _enum(self, enum: GraphQLEnumType) -> Json:
        meanings = "".join(
            f"\n- `{name.lower()}`: {self.text(value.description)}"
            for name, value in enum.values.items()
        )
        return {
            "description": f"{self.text(enum.description)}\n{meanings}",
            "type": "string",
            "enum": [name.lower() for name in enum.values],
        }

    def _result_field(self, field: SelectedField) -> Json:
        if field.selection is None:
            schema = self.value(field.type)
        else:
            schema = self._results(field.type, field.selection)
        return {**schema, "description": self.text(field.description)}

    def _results(self, type_: Any, selection: Selection) -> Json:
        nullable = get_nullable_type(type_)
        if is_list_type(nullable):
            schema = {"type": "array", "items": self._results(nullable.of_type, selection)}
        else:
            schema = self.resource(selection)
        return _or_null(schema) if is_nullable_type(type_) else schema

    def _input(
        self,
        type_: GraphQLInputObjectType,
        fields: Mapping[str, BodyField],
        ignored: Json,
        name: str,
    ) -> Json:
        properties = {name: self._input_field(field) for name, field in fields.items()}
        required = [name for name, (_, field) in fields.items() if is_required_input_field(field)]
        return self.component(
            name,
            lambda: {
                "description": self.text(type_.description),
                **closed_object({**properties, **ignored}, required),
            },
        )

    def _input_field(self, body_field: BodyField) -> Json:
        """Describe a field of an input: a list takes one of its elements, too, as in GraphQL."""
        name, field = body_field
        bounds = {**_declared_bounds(field), **BOUNDS.get(name, {})}
        nullable = get_nullable_type(field.type)
        if not is_list_type(nullable):
            schema = self.value(field.type, bounds)
        else:
            rules = None if is_condition(field) else ELEMENT_BOUNDS.get(name)
            element = self.value(nullable.of_type, rules)
            schema = {"anyOf": [{"type": "array", "items": element, **bounds}, element]}
            schema = _or_null(schema) if is_nullable_type(field.type) else schema
        return {**schema, "description": self.text(field.description)}


# The keywords for the bounds of a value, by the name of its type.
_BOUND_KEYWORDS = {"Int": ("minimum", "maximum"), "String": ("minLength", "maxLength")}


def _declared_bounds(field: GraphQLInputField) -> Json:
    bounds = bounds_of(field)
    if bounds is None:
        return {}
    return dict(zip(_BOUND_KEYWORDS[get_named_type(field.type).name], bounds, strict=True))


def _name_within(type_: GraphQLInputObjectType) -> str:
    """The name of an input within a body, where it has the fields that else are headers, too."""
    return f"{type_.name}Item" if HEADERS.keys() & type_.fields else type_.name


def _or_null(schema: Json) -> Json:
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}


def _names(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yield the schema's names of fields and enum values, each with REST's."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLEnumType):
            yield from ((name, name.lower()) for name in type_.values)
        for name, field in getattr(type_, "fields", {}).items():
            yield name, snake_case(name)
            yield from ((argument, snake_case(argument)) for argument in getattr(field, "args", {}))
