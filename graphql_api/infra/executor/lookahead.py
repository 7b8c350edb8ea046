"""What else the same operation asks for: lets one batch serve many fields."""

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
    """The values that every root field of this name gives to the argument.

    Fields under @skip or @include count too: a key too many in a batch costs less than
    deciding it.
    """
    for node in _fields(info, info.operation.selection_set, set()):
        if node.name.value == field:
            for given in node.arguments or ():
                if given.name.value == argument:
                    yield _value(info, given.value)


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
