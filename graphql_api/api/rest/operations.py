"""The operations behind the REST routes: operations.graphql, completed from the schema.

Two things are added to what is written there, so that neither can be forgotten:

- a field gets its name in snake_case as an alias, unless it has one;
- `@leaves` on a fragment or a field selects every scalar and enum of its type that takes no
  arguments, but for those named in `except`. Fields that are written out keep their aliases.

`@inline` on an object of a payload puts its fields in the object's place, beside the payload's.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from graphql import (
    REMOVE,
    ArgumentNode,
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    NameNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    parse,
    print_ast,
    strip_ignored_characters,
    type_from_ast,
    value_from_ast_untyped,
    visit,
)

from graphql_api.errors import Wording

SOURCE = (Path(__file__).parent / "operations.graphql").read_text()
LEAVES = "leaves"
INLINE = "inline"

Selecting = TypeVar("Selecting", OperationDefinitionNode, FragmentDefinitionNode, FieldNode)

_CAPITAL = re.compile(r"[A-Z]")


def snake_case(name: str) -> str:
    """REST's name of a field: `due_at` for `dueAt`, and for `due_at` itself."""
    return _CAPITAL.sub(lambda letter: "_" + letter[0].lower(), name)


def wording(names: Mapping[str, str]) -> Wording:
    """REST's wording of errors, with other names for some of those in snake_case."""
    return Wording(lambda name: names.get(snake_case(name), snake_case(name)), str.lower)


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field that an operation selects; `selection` is what it selects of an object."""

    name: str
    type: GraphQLOutputType
    description: str
    selection: "Selection | None"


@dataclass(frozen=True, slots=True)
class Selection:
    """Fields that are selected of an object type, by their names in the result.

    `name` is that of the fragment that selects them, else the type's. The fields of the object
    under the key `inlined` are among them.
    """

    name: str
    type: GraphQLObjectType
    fields: Mapping[str, SelectedField]
    inlined: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with the types of its variables and of its result.

    The result is what lies at `result_path` in the data of a response: a payload that holds
    nothing but one object stands for that object. With `has_many` it is a list.
    """

    name: str
    is_subscription: bool
    root_field: str
    root: GraphQLField
    variables: Mapping[str, GraphQLInputType]
    names: Mapping[str, str]  # of variables, by the arguments and fields that are called otherwise
    result: Selection
    result_path: tuple[str, ...]
    has_many: bool

    @property
    def is_connection(self) -> bool:
        """True if the result is a page of a list."""
        return {"nodes", "page_info"} <= self.result.fields.keys()

    def result_of(self, data: Mapping[str, Any]) -> Any:
        """Return the result in the data of a response."""
        found: Any = data
        for key in self.result_path:
            found = found[key]
        if self.result.inlined:
            found = {**found.pop(self.result.inlined), **found}
        return found


class Operations(Mapping[str, Operation]):
    """The operations of a document by name, and the document's completed text."""

    def __init__(self, schema: GraphQLSchema, source: str = SOURCE) -> None:
        document = _completed(schema, parse(source))
        self.text = strip_ignored_characters(print_ast(visit(document, _WithoutDirectives())))
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._schema = schema
        self._operations = {
            node.name.value: self._operation(node)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode) and node.name
        }

    def __getitem__(self, name: str) -> Operation:
        return self._operations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def _operation(self, node: OperationDefinitionNode) -> Operation:
        root = cast("GraphQLObjectType", self._schema.get_root_type(node.operation))
        result, has_many = self._selection(root, node.selection_set), False
        [root_field] = [field.name for field in result.fields.values()]
        path: tuple[str, ...] = ()
        while len(result.fields) == 1 and not has_many:
            [(key, field)] = result.fields.items()
            if field.selection is None:
                break
            result, path = field.selection, (*path, key)
            has_many = is_list_type(get_nullable_type(field.type))
        variables = {
            declared.variable.name.value: type_from_ast(self._schema, declared.type)
            for declared in node.variable_definitions or ()
        }
        name = cast("NameNode", node.name).value
        is_subscription = node.operation is OperationType.SUBSCRIPTION
        return Operation(
            name,
            is_subscription,
            root_field,
            root.fields[root_field],
            cast("Any", variables),
            _names(node),
            result,
            path,
            has_many,
        )

    def _selection(self, type_: GraphQLObjectType, selected: SelectionSetNode) -> Selection:
        match selected.selections:
            case [FragmentSpreadNode() as spread]:
                name = spread.name.value
            case _:
                name = type_.name
        inlined = next(map(_key, filter(_is_inlined, selected.selections)), None)
        return Selection(name, type_, dict(self._fields(type_, selected)), inlined)

    def _fields(
        self, type_: GraphQLObjectType, selected: SelectionSetNode
    ) -> Iterator[tuple[str, SelectedField]]:
        for node in selected.selections:
            if isinstance(node, FragmentSpreadNode):
                yield from self._fields(type_, self._fragments[node.name.value].selection_set)
            elif isinstance(node, FieldNode):
                field = type_.fields[node.name.value]
                inner = node.selection_set and self._selection(
                    cast("GraphQLObjectType", get_named_type(field.type)), node.selection_set
                )
                if inner and _is_inlined(node):
                    yield from inner.fields.items()
                    continue
                description = field.description or ""
                name = node.name.value
                yield _key(node), SelectedField(name, field.type, description, inner or None)


@cache
def operations_of(schema: GraphQLSchema, source: str = SOURCE) -> Operations:
    """Return the operations of a document, which a process completes once."""
    return Operations(schema, source)


def _is_inlined(node: SelectionNode) -> bool:
    return any(directive.name.value == INLINE for directive in node.directives or ())


def _key(node: Any) -> str:
    """The name of a field in the result."""
    return cast("str", (node.alias or node.name).value)


def _names(node: OperationDefinitionNode) -> dict[str, str]:
    """The names of variables, in snake_case, by the arguments and fields that are called otherwise.

    So an error that names the argument can name the variable.
    """
    found = _Renamed()
    visit(node, found)
    return found.names


class _Renamed(Visitor):
    """Finds the arguments and fields of inputs whose variables are called otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}

    def enter_argument(self, node: ArgumentNode | ObjectFieldNode, *_: Any) -> None:
        """Look at an argument."""
        name, value = node.name.value, node.value
        if isinstance(value, VariableNode) and value.name.value != name:
            self.names[snake_case(name)] = snake_case(value.name.value)

    enter_object_field = enter_argument


class _WithoutDirectives(Visitor):
    """Removes what only this module understands."""

    def enter_directive(self, *_: Any) -> Any:
        """Remove a directive."""
        return REMOVE


def _completed(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    definitions: list[DefinitionNode] = []
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            definitions.append(_with_selection(node, schema.get_root_type(node.operation)))
        elif isinstance(node, FragmentDefinitionNode):
            type_ = schema.get_type(node.type_condition.name.value)
            definitions.append(_with_selection(node, type_))
    return DocumentNode(definitions=tuple(definitions))


def _with_selection(node: Selecting, type_: Any) -> Selecting:
    """Complete what an operation, a fragment or a field selects of a type."""
    selected = node.selection_set.selections if node.selection_set else ()
    directives = {directive.name.value: directive for directive in node.directives or ()}
    if leaves := directives.pop(LEAVES, None):
        selected = tuple(_leaves_and(selected, type_, _excluded(leaves)))
    if not selected:
        return node
    completed = tuple(_with_alias(selection, type_) for selection in selected)
    return replace(
        node,
        directives=tuple(directives.values()),
        selection_set=SelectionSetNode(selections=completed),
    )


def _with_alias(node: SelectionNode, type_: GraphQLObjectType) -> SelectionNode:
    if not isinstance(node, FieldNode):
        return node
    name = node.name.value
    if node.alias is None and name != snake_case(name):
        node = replace(node, alias=NameNode(value=snake_case(name)))
    return _with_selection(node, get_named_type(type_.fields[name].type))


def _leaves_and(
    selected: Sequence[SelectionNode], type_: GraphQLObjectType, excluded: Collection[str]
) -> Iterator[SelectionNode]:
    """Yield the leaves of a type and the fields that are selected, in the order of the schema."""
    written = {node.name.value: node for node in selected if isinstance(node, FieldNode)}
    for name, field in type_.fields.items():
        if name in written:
            yield written[name]
        elif name not in excluded and _is_leaf(field):
            yield FieldNode(name=NameNode(value=name))
    yield from (node for node in selected if not isinstance(node, FieldNode))


def _is_leaf(field: GraphQLField) -> bool:
    is_free = not any(map(is_required_argument, field.args.values()))
    return is_free and is_leaf_type(get_named_type(field.type))


def _excluded(leaves: DirectiveNode) -> Collection[str]:
    arguments = {node.name.value: node.value for node in leaves.arguments or ()}
    excluded = arguments.get("except")
    return value_from_ast_untyped(excluded) if excluded else ()
