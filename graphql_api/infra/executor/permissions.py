"""The permissions that an operation needs: what the fields that it selects declare."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

Declared: TypeAlias = Mapping[tuple[str, str], Hashable]  # by type and field
Needed: TypeAlias = frozenset[Any]


@dataclass(frozen=True)
class Permissions:
    """Declarations of fields, and the check of a request's context against them.

    `check` raises an AppError for what the context may not have: then nothing is executed.
    """

    declared: Declared
    check: Callable[[Any, Needed], None]


NO_PERMISSIONS = Permissions({}, lambda _context, _needed: None)


def needed(
    document: DocumentNode, node: OperationDefinitionNode, schema: GraphQLSchema, declared: Declared
) -> Needed:
    """The declarations of the fields of an operation of a valid document."""
    selected = _Selected(document, schema)
    root = schema.get_root_type(node.operation)
    found = (declared.get(field) for field in selected.fields(node.selection_set, root))
    return frozenset(each for each in found if each is not None)


class _Selected:
    """Finds the fields that are selected, each fragment's once."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._left = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def fields(
        self, selected: SelectionSetNode, parent: GraphQLNamedType | None
    ) -> Iterator[tuple[str, str]]:
        """Yield the types and names of fields, of whatever the directives say."""
        for node in selected.selections:
            match node:
                case FieldNode():
                    yield from self._field(node, parent)
                case InlineFragmentNode():
                    condition = node.type_condition
                    narrowed = self._schema.get_type(condition.name.value) if condition else parent
                    yield from self.fields(node.selection_set, narrowed)
                case FragmentSpreadNode():
                    if fragment := self._left.pop(node.name.value, None):
                        narrowed = self._schema.get_type(fragment.type_condition.name.value)
                        yield from self.fields(fragment.selection_set, narrowed)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Iterator[tuple[str, str]]:
        name = node.name.value
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            yield parent.name, name
            if node.selection_set:
                returned = get_named_type(parent.fields[name].type)
                yield from self.fields(node.selection_set, returned)
