"""Arguments of the other root fields of an operation, so that one batch can serve them all."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)


def root_arguments(info: GraphQLResolveInfo[Any], field: str, argument: str) -> Iterator[Any]:
    """Yield the value of an argument from every root field of this name.

    Fields under @skip or @include count too: a key too many in a batch costs less than evaluating
    them.
    """
    for node in _fields(info, info.operation.selection_set, set()):
        if node.name.value == field:
            for node_argument in node.arguments or ():
                if node_argument.name.value == argument:
                    yield _value(info, node_argument.value)


def selections(info: GraphQLResolveInfo[Any], field: str) -> int:
    """Count the response keys under which this field's selections ask for a field."""
    nodes = [node.selection_set for node in info.field_nodes if node.selection_set]
    keys = {
        (node.alias or node.name).value
        for selected in nodes
        for node in _fields(info, selected, set())
        if node.name.value == field
    }
    return len(keys)


def _fields(
    info: GraphQLResolveInfo[Any], selected: SelectionSetNode, seen: set[str]
) -> Iterator[FieldNode]:
    for selection in selected.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields(info, selection.selection_set, seen)
            case FragmentSpreadNode() if selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = info.fragments[selection.name.value]
                yield from _fields(info, fragment.selection_set, seen)


def _value(info: GraphQLResolveInfo[Any], node: Any) -> Any:
    if isinstance(node, VariableNode):
        return info.variable_values.coerced.get(node.name.value)
    return getattr(node, "value", None)
