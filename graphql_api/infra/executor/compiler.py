"""Compilation of operations: what each field does is decided once, before it is executed.

graphql-core decides for each field of each row again what kind of field it is. Here an operation
becomes a tree of closures, one a field, which resolve and complete values by "Executing
Operations" of the GraphQL specification. Errors are located and null propagates as in
graphql-core; a property test compares both. What is not supported (a directive, introspection, an
abstract type) leaves the whole operation to graphql-core.

Executing a page of 25 tasks with owners takes 0.28 ms of CPU instead of 1.55.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias, get_type_hints

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    default_field_resolver,
    default_type_resolver,
    get_nullable_type,
    is_leaf_type,
    is_nullable_type,
    located_error,
)
from graphql.execution import Executor as CoreExecutor
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, is_iterable
from strawberry import Info
from strawberry.resolvers import is_default_resolver
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from graphql_api.infra.executor.coercion import (
    DEFINITION,
    MAX_INT,
    PYTHON_TYPES,
    Arguments,
    Fallback,
    Unsupported,
    Variables,
)

Complete: TypeAlias = Callable[[Any, "Execution"], Any]  # of a value
Resolve: TypeAlias = Callable[[Any, "Execution"], Any]  # of a source, the value of a field

TYPENAME = "__typename"
MAX_FIELDS = 100  # of an operation; each takes some 2 KB and 20 µs, once


def compile_operation(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> "CompiledOperation | None":
    """Compile an operation of a valid document; None if graphql-core has to execute it."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    with contextlib.suppress(Unsupported):
        return CompiledOperation(schema, fragments, operation)
    return None


class Execution:
    """One execution of a compiled operation, with the state that its closures share."""

    __slots__ = ("core", "indices", "infos")

    def __init__(self, core: CoreExecutor[Any]) -> None:
        self.core = core
        self.indices: dict[int, int] = {}  # of the current items of lists, by depth of their path
        self.infos: dict[int, Info[Any, Any]] = {}  # by the id of their field's position


class CompiledOperation:
    """An operation as closures; compiled once, executed by any thread."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
    ) -> None:
        """Compile it. Raises Unsupported."""
        root = schema.get_root_type(operation.operation)
        if root is None or operation.directives:
            raise Unsupported
        compiler = _Compiler(schema, fragments)
        self._execute = compiler.complete_object(root, [operation.selection_set], ())
        self._variables = Variables(schema, operation)
        details = {name: FragmentDetails(node, None) for name, node in fragments.items()}
        self._core_executor = partial(
            CoreExecutor,
            schema=schema,
            fragment_definitions=dict(fragments),
            fragments=details,
            root_value=None,
            operation=operation,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
        )

    def executor(
        self, context: Any, variables: Mapping[str, Any], **options: Any
    ) -> CoreExecutor[Any] | None:
        """Build graphql-core's executor; None if that has to coerce the variables itself."""
        with contextlib.suppress(Fallback):
            return self._core_executor(
                context_value=context, variable_values=self._variables.coerce(variables), **options
            )
        return None

    def run(self, core: CoreExecutor[Any]) -> ExecutionResult:
        """Execute the operation for which the executor was built."""
        try:
            data = self._execute(core.root_value, Execution(core))
        except GraphQLError as error:
            core.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, core.collected_errors.errors or None)


_Path: TypeAlias = tuple[str | None, ...]  # response keys, and None in place of an index


@dataclass(frozen=True, slots=True)
class _FieldPosition:
    """A field of the operation: its definition, its nodes and its path in the answer."""

    parent: GraphQLObjectType
    field: GraphQLField
    nodes: list[FieldNode]
    path: _Path

    @property
    def name(self) -> str:
        """The name that errors give it."""
        return f"{self.parent}.{self.nodes[0].name.value}"

    def fail(self, error: Exception, path: _Path, execution: Execution, *, nullable: bool) -> None:
        """Collect the error where null is possible; else raise it to the parent."""
        keys = [execution.indices[depth] if key is None else key for depth, key in enumerate(path)]
        located = located_error(error, self.nodes, keys)
        if not nullable:
            raise located
        execution.core.collected_errors.errors.append(located)

    def resolve_info(self, execution: Execution) -> GraphQLResolveInfo[Any]:
        """Build the resolver's info, whose path has no indices of lists."""
        path: Path | None = None
        for key in self.path:
            path = Path(path, key or 0, None)
        assert path is not None  # noqa: S101 - a field has a response key  # nosec B101
        return execution.core.build_resolve_info(self.field, self.nodes, self.parent, path)


class _Field(NamedTuple):
    """The steps that resolve and complete a field, the cheapest of them first."""

    attribute: str  # of the source, to read; if empty, `resolve` is called
    resolve: Resolve
    plain_type: type | None  # whose values are complete but for `serialize`
    serialize: Callable[[Any], Any] | None  # None: they are as they are
    nullable: bool
    complete: Complete  # all other values
    fail: Callable[[Exception, Execution], None]


class _Compiler:
    """Makes closures of types and selection sets; its methods raise Unsupported."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._fields = 0

    def complete_object(
        self, type_: GraphQLObjectType, selected: Sequence[SelectionSetNode], path: _Path
    ) -> Complete:
        """Compile the completion of an object with these selection sets."""
        if type_.is_type_of is not None:
            raise Unsupported
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in selected:
            for node in self._field_nodes(type_, selection_set, visited):
                key = node.alias.value if node.alias else node.name.value
                grouped.setdefault(key, []).append(node)
        fields = [(key, self._field(type_, nodes, (*path, key))) for key, nodes in grouped.items()]

        def complete(source: Any, execution: Execution) -> dict[str, Any]:
            if isinstance(source, Exception):
                raise source
            completed = {}
            for key, (attribute, resolve, plain_type, serialize, nullable, rest, fail) in fields:
                try:
                    value = getattr(source, attribute) if attribute else resolve(source, execution)
                    if type(value) is plain_type:
                        completed[key] = serialize(value) if serialize else value
                    elif value is None and nullable:
                        completed[key] = None
                    else:
                        completed[key] = rest(value, execution)
                except Exception as error:  # noqa: BLE001 - whatever a resolver raises
                    fail(error, execution)
                    completed[key] = None
            return completed

        return complete

    def _applies(self, condition: NamedTypeNode | None, type_: GraphQLObjectType) -> bool:
        """Return whether a fragment on a type is one on this type."""
        named = self._schema.get_type(condition.name.value) if condition else type_
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            return self._schema.is_sub_type(named, type_)
        return named is type_

    def _field_nodes(
        self, type_: GraphQLObjectType, selected: SelectionSetNode, visited: set[str]
    ) -> Iterator[FieldNode]:
        for node in selected.selections:
            if node.directives:
                raise Unsupported
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode():
                    if self._applies(node.type_condition, type_):
                        yield from self._field_nodes(type_, node.selection_set, visited)
                case FragmentSpreadNode() if node.name.value not in visited:
                    visited.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    if fragment.variable_definitions or fragment.directives:
                        raise Unsupported
                    if self._applies(fragment.type_condition, type_):
                        yield from self._field_nodes(type_, fragment.selection_set, visited)

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode], path: _Path) -> _Field:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise Unsupported
        name = nodes[0].name.value
        field = self._schema.get_field(parent, name)
        if field is None or (name.startswith("__") and name != TYPENAME):
            raise Unsupported
        position = _FieldPosition(parent, field, nodes, path)
        attribute, resolve = ("", _type_name(parent)) if name == TYPENAME else _resolver(position)
        plain_type, serialize = _plain_values(get_nullable_type(field.type))
        nullable = is_nullable_type(field.type)

        def fail(error: Exception, execution: Execution) -> None:
            position.fail(error, path, execution, nullable=nullable)

        complete = self._complete(field.type, position, path)
        return _Field(attribute, resolve, plain_type, serialize, nullable, complete, fail)

    def _complete(
        self, type_: GraphQLOutputType, position: _FieldPosition, path: _Path
    ) -> Complete:
        """Compile the completion of a value of this type."""
        if isinstance(type_, GraphQLNonNull):
            return _non_null(self._complete_present(type_.of_type, position, path), position.name)
        return _nullable(self._complete_present(type_, position, path))

    def _complete_present(
        self, type_: GraphQLOutputType, position: _FieldPosition, path: _Path
    ) -> Complete:
        """Compile the completion of a value that is not None."""
        if isinstance(type_, GraphQLList):
            item_path = (*path, None)
            item = self._complete(type_.of_type, position, item_path)
            return _list(item, type_, position, item_path)
        if is_leaf_type(type_):
            return _leaf(type_)
        if isinstance(type_, GraphQLObjectType):
            selected = [node.selection_set for node in position.nodes if node.selection_set]
            return self.complete_object(type_, selected, path)
        raise Unsupported


def _type_name(parent: GraphQLObjectType) -> Resolve:
    return lambda _source, _execution: parent.name


def _resolver(position: _FieldPosition) -> tuple[str, Resolve]:
    """Choose the attribute that is the field's value; if empty, the call that resolves it."""
    definition, call = position.field.extensions.get(DEFINITION), position.field.resolve
    if not isinstance(definition, StrawberryField) or call is None:
        raise Unsupported
    generic_call = _generic_call(position, call)
    if is_default_resolver(call):
        return definition.python_name, generic_call
    resolver = definition.base_resolver
    if resolver is None or definition.extensions:
        return "", generic_call
    with contextlib.suppress(Unsupported):
        return "", _direct_call(position, definition, resolver, generic_call)
    return "", generic_call


def _generic_call(position: _FieldPosition, call: Callable[..., Any]) -> Resolve:
    """Call the resolver as graphql-core does."""
    node = position.nodes[0]

    def resolve(source: Any, execution: Execution) -> Any:
        core = execution.core
        arguments = get_argument_values(
            position.field, node, core.variable_values, None, core.hide_suggestions
        )
        return call(source, position.resolve_info(execution), **arguments)

    return resolve


def _direct_call(
    position: _FieldPosition,
    definition: StrawberryField,
    resolver: StrawberryResolver[Any],
    generic_call: Resolve,
) -> Resolve:
    """Call the function behind a field, without Strawberry's wrappers.

    All rows of an execution share one Info. Raises Unsupported for some types of arguments.
    """
    call: Any = resolver.wrapped_func
    parents = {p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p}
    info = resolver.info_parameter
    arguments = Arguments(position.field, position.nodes[0])
    slot = id(position)

    def shared_info(execution: Execution) -> Info[Any, Any]:
        if slot not in execution.infos:
            raw_info = position.resolve_info(execution)
            execution.infos[slot] = Info(_raw_info=raw_info, _field=definition)
        return execution.infos[slot]

    def resolve(source: Any, execution: Execution) -> Any:
        try:
            named = arguments.values(execution.core.variable_values.coerced)
        except Fallback:
            return generic_call(source, execution)
        for parent in parents:
            named[parent] = source
        if info is not None:
            named[info.name] = shared_info(execution)
        return call(source, **named) if resolver.self_parameter else call(**named)

    # Most fields of rows have a parent and an Info, and nothing else.
    if list(resolver.signature.parameters) == [*parents, info and info.name]:
        return lambda source, execution: call(source, shared_info(execution))
    return resolve


def _non_null(complete: Complete, name: str) -> Complete:
    def complete_non_null(value: Any, execution: Execution) -> Any:
        if value is None:
            raise TypeError(f"Cannot return null for non-nullable field {name}.")
        return complete(value, execution)

    return complete_non_null


def _nullable(complete: Complete) -> Complete:
    return lambda value, execution: None if value is None else complete(value, execution)


def _leaf(type_: GraphQLLeafType) -> Complete:
    plain_type, serialize = _plain_values(type_)

    def complete(value: Any, _execution: Execution) -> Any:
        if type(value) is plain_type:
            return serialize(value) if serialize else value
        if isinstance(value, Exception):
            raise value
        return CoreExecutor.complete_leaf_value(type_, value)

    return complete


def _plain_values(type_: Any) -> tuple[type | None, Callable[[Any], Any] | None]:
    """Choose the Python type whose values need no completion, and how to serialize them."""
    if type_ is GraphQLInt:
        return int, _serialize_int
    if isinstance(type_, CustomGraphQLEnumType):
        members: Any = type_.wrapped_cls
        if all(type_.coerce_output_value(member) == member.name for member in members):
            return members, attrgetter("_name_")  # `name` is a descriptor, and slower
    if type_ in PYTHON_TYPES:
        return PYTHON_TYPES[type_], None
    serialize = getattr(type_, "coerce_output_value", None)
    return _annotated_argument(serialize), serialize


def _annotated_argument(serialize: Any) -> type | None:
    """Read for which type a scalar's serializer is written, if it is a function that says so."""
    hints = get_type_hints(serialize) if isinstance(serialize, FunctionType) else {}
    argument = next(iter(hints.values()), None)
    return argument if isinstance(argument, type) and hints.get("return") is str else None


def _serialize_int(value: int) -> Any:
    is_in_range = -MAX_INT <= value < MAX_INT
    return value if is_in_range else CoreExecutor.complete_leaf_value(GraphQLInt, value)


def _list(
    complete_item: Complete, type_: GraphQLList[Any], position: _FieldPosition, path: _Path
) -> Complete:
    depth = len(path) - 1
    nullable = not isinstance(type_.of_type, GraphQLNonNull)
    plain_type, serialize = _plain_values(get_nullable_type(type_.of_type))
    # {None} for objects: no value is of that type.
    complete_types = set() if serialize else {plain_type}

    def complete(values: Any, execution: Execution) -> list[Any]:
        if type(values) is tuple and complete_types.issuperset(map(type, values)):
            return list(values)
        if isinstance(values, Exception):
            raise values
        if not is_iterable(values):
            raise GraphQLError(
                f"Expected Iterable, but did not find one for field '{position.name}'."
            )
        completed = []
        for index, value in enumerate(values):
            execution.indices[depth] = index
            try:
                completed.append(complete_item(value, execution))
            except Exception as error:  # noqa: BLE001 - as for a field
                position.fail(error, path, execution, nullable=nullable)
                completed.append(None)
        return completed

    return complete
