"""Costs of fields, declared where a field is: `strawberry.field(…, metadata=field_cost(LIST))`."""

from collections.abc import Iterator

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)

from graphql_api.domain.paging import MAX_PAGE_SIZE
from graphql_api.errors import StartError
from graphql_api.infra.executor.coercion import DEFINITION
from graphql_api.infra.executor.executor import core_schema
from graphql_api.infra.executor.limits import VALUE_SIZE, Costs, FieldCost, Nesting

LOADED, LIST, RELATION, TREE = Nesting.LOADED, Nesting.LIST, Nesting.RELATION, Nesting.TREE

_KEY = "cost"
_ITEMS = {
    LOADED: 1,
    LIST: MAX_PAGE_SIZE,
    RELATION: 10,
    TREE: 4,  # on each of its levels
}  # a request may load ten times as many related tasks as a page has


def field_cost(
    nesting: Nesting = LOADED,
    *,
    expensive: bool = False,
    exclusive: bool = False,
    items: int | None = None,
    work: int = 1,
    size: int = VALUE_SIZE,
) -> dict[str, FieldCost]:
    """Metadata that declares what a field costs.

    A field with many objects says how it may be nested: LOADED if they come with their parent,
    LIST if they are read for it, RELATION for a bounded number of them that are read in one batch
    with those of other parents, TREE for such that have the like within them. `expensive`: a
    password check, a plan, a write in bulk, of which an operation has one. `exclusive`: it ends the
    session that asks, so nothing may stand beside it.

    `items` is the most of a list, else that of its nesting; `work` how many plain fields take as
    long as this one; `size` the bytes of a value that may be longer than an id or an instant.
    """
    most = _ITEMS[nesting] if items is None else items
    return {_KEY: FieldCost(nesting, expensive, exclusive, most, work, size)}


def collect(schema: strawberry.Schema) -> Costs:
    """Collect the declared costs. Raises StartError with the fields that have to declare theirs."""
    costs, missing = {}, []
    for name, field_name, field in _fields(schema):
        declared = field.extensions[DEFINITION].metadata.get(_KEY)
        if declared:
            costs[name, field_name] = declared
        elif _has_many_objects(field):
            missing.append(f"{name}.{field_name}")
    if missing:
        raise StartError(
            f"{', '.join(missing)}: a list or a connection of objects declares its cost,"
            " metadata=field_cost(LIST), RELATION, TREE or LOADED"
            " (graphql_api/api/graphql/costs.py)"
        )
    return costs


def _fields(schema: strawberry.Schema) -> Iterator[tuple[str, str, GraphQLField]]:
    for name, type_ in core_schema(schema).type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                if not name.startswith("__"):
                    yield name, field_name, field


def _has_many_objects(field: GraphQLField) -> bool:
    named = get_named_type(field.type)
    is_list = isinstance(get_nullable_type(field.type), GraphQLList)
    # The Relay specification reserves the suffix for connections.
    return is_composite_type(named) and (is_list or named.name.endswith("Connection"))
