"""Operations that are compiled once: what each field does, decided before the first request.

graphql-core decides for each field of each row again what kind of field it is. Here an
operation becomes a tree of closures, one for each field, that resolve and complete values as
"Executing Operations" of the GraphQL specification has it. Errors are located, and null
propagates, as graphql-core does it: a test holds the two together. What is not covered (any
directive, questions about the schema, abstract types) is left to graphql-core.

To execute a page of 25 tasks with owners takes 0.28 ms of CPU in the place of 1.55.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
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
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from graphql_api import clock
from graphql_api.infra.executor.coercion import (
    DEFINITION,
    INT_BOUND,
    PLAIN,
    Arguments,
    NotCovered,
    NotPlain,
    Variables,
)

# What completes a value, and what resolves a field of a source and completes its value.
Complete: TypeAlias = Callable[[Any, "Run"], Any]
Resolve: TypeAlias = Callable[[Any, "Run"], Any]

TYPENAME = "__typename"
MOST_FIELDS = 100  # of an operation; each takes some 2 KB and 20 µs, once


def of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> "CompiledOperation | None":
    """The compiled form of an operation; None if graphql-core is to execute it."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    with contextlib.suppress(NotCovered):
        return CompiledOperation(schema, fragments, operation)
    return None


class Run:
    """One execution of a compiled operation: graphql-core's executor, and where in lists it is."""

    __slots__ = ("core", "indices", "infos")

    def __init__(self, core: CoreExecutor[Any]) -> None:
        self.core = core
        self.indices: dict[int, int] = {}  # by depth of path
        self.infos: dict[int, Info[Any, Any]] = {}  # by the place of the resolver that wants one


class CompiledOperation:
    """A compiled operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
    ) -> None:
        """Raises NotCovered."""
        root = schema.get_root_type(operation.operation)
        if root is None or operation.directives:
            raise NotCovered
        compiler = _Compiler(schema, fragments)
        self._execute = compiler.object(root, [operation.selection_set], ())
        self._variables = Variables(schema, operation)
        details = {name: FragmentDetails(node, None) for name, node in fragments.items()}
        self._prepared = partial(
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
        """graphql-core's executor; None if it has to look at the variables itself."""
        with contextlib.suppress(NotPlain):
            return self._prepared(
                context_value=context, variable_values=self._variables.read(variables), **options
            )
        return None

    def run(self, core: CoreExecutor[Any]) -> ExecutionResult:
        """Execute the operation that the executor was built for."""
        try:
            data = self._execute(core.root_value, Run(core))
        except GraphQLError as error:
            core.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, core.collected_errors.errors or None)


_Path: TypeAlias = tuple[str | None, ...]  # response keys, None in the place of an index


@dataclass(frozen=True, slots=True)
class _Place:
    """A field of the operation: its nodes, and where its value is in the answer."""

    parent: GraphQLObjectType
    field: GraphQLField
    nodes: list[FieldNode]
    path: _Path

    @property
    def name(self) -> str:
        """The field, as errors name it."""
        return f"{self.parent}.{self.nodes[0].name.value}"

    def failed(self, error: Exception, path: _Path, run: Run, *, nullable: bool) -> None:
        """Note the error where null is possible, or raise it to where it is."""
        keys = [run.indices[depth] if key is None else key for depth, key in enumerate(path)]
        located = located_error(error, self.nodes, keys)
        if not nullable:
            raise located
        run.core.collected_errors.errors.append(located)

    def info(self, run: Run) -> GraphQLResolveInfo[Any]:
        """What a resolver gets to know; of the path it says no indices."""
        path: Path | None = None
        for key in self.path:
            path = Path(path, key or 0, None)
        assert path is not None  # noqa: S101 - a field has a response key  # nosec B101
        return run.core.build_resolve_info(self.field, self.nodes, self.parent, path)


class _Field(NamedTuple):
    """How to resolve and complete a field: most are an attribute of a plain type."""

    attribute: str  # of the source; or, if it is empty, …
    resolve: Resolve  # … what resolves the field
    plain: type | None  # of values that only have to be shown
    show: Callable[[Any], Any] | None  # None: as they are
    nullable: bool
    complete: Complete  # of all others
    fail: Callable[[Exception, "Run"], None]


class _Compiler:
    """Makes closures of types and selection sets."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._fields = 0

    def object(
        self, kind: GraphQLObjectType, selected: Sequence[SelectionSetNode], path: _Path
    ) -> Complete:
        """What makes an object of its source."""
        if kind.is_type_of is not None:
            raise NotCovered
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in selected:
            for node in self._nodes(selection_set, visited):
                key = node.alias.value if node.alias else node.name.value
                grouped.setdefault(key, []).append(node)
        fields = [(key, self._field(kind, nodes, (*path, key))) for key, nodes in grouped.items()]

        def as_object(source: Any, run: Run) -> dict[str, Any]:
            if isinstance(source, Exception):
                raise source
            completed = {}
            for key, (attribute, resolve, plain, show, nullable, complete, fail) in fields:
                try:
                    value = getattr(source, attribute) if attribute else resolve(source, run)
                    if type(value) is plain:
                        completed[key] = show(value) if show else value
                    elif value is None and nullable:
                        completed[key] = None
                    else:
                        completed[key] = complete(value, run)
                except Exception as error:  # noqa: BLE001 - whatever a resolver raises
                    fail(error, run)
                    completed[key] = None
            return completed

        return as_object

    def _nodes(self, selected: SelectionSetNode, visited: set[str]) -> Iterator[FieldNode]:
        for node in selected.selections:
            if node.directives:
                raise NotCovered
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode():  # whatever its type is: it is valid, so it is this one
                    yield from self._nodes(node.selection_set, visited)
                case FragmentSpreadNode() if node.name.value not in visited:
                    visited.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    if fragment.variable_definitions or fragment.directives:
                        raise NotCovered
                    yield from self._nodes(fragment.selection_set, visited)

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode], path: _Path) -> _Field:
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise NotCovered
        name = nodes[0].name.value
        field = self._schema.get_field(parent, name)
        if field is None or (name.startswith("__") and name != TYPENAME):
            raise NotCovered
        place = _Place(parent, field, nodes, path)
        attribute, resolve = ("", _named(parent)) if name == TYPENAME else _resolver(place)
        plain, show = _plain(get_nullable_type(field.type))
        nullable = is_nullable_type(field.type)

        def fail(error: Exception, run: Run) -> None:
            place.failed(error, path, run, nullable=nullable)

        complete = self._completer(field.type, place, path)
        return _Field(attribute, resolve, plain, show, nullable, complete, fail)

    def _completer(self, kind: GraphQLOutputType, place: _Place, path: _Path) -> Complete:
        """What completes a value of this type, null included."""
        if isinstance(kind, GraphQLNonNull):
            return _non_null(self._present(kind.of_type, place, path), place.name)
        return _nullable(self._present(kind, place, path))

    def _present(self, kind: GraphQLOutputType, place: _Place, path: _Path) -> Complete:
        """What completes a value of this type, which is there."""
        if isinstance(kind, GraphQLList):
            within = (*path, None)
            return _list(self._completer(kind.of_type, place, within), kind, place, within)
        if is_leaf_type(kind):
            return _leaf(kind)
        if isinstance(kind, GraphQLObjectType):
            selected = [node.selection_set for node in place.nodes if node.selection_set]
            return self.object(kind, selected, path)
        raise NotCovered


def _named(parent: GraphQLObjectType) -> Resolve:
    return lambda _source, _run: parent.name


def _resolver(place: _Place) -> tuple[str, Resolve]:
    """The attribute of the source that is the field, or what calls its resolver."""
    definition, call = place.field.extensions.get(DEFINITION), place.field.resolve
    if not isinstance(definition, StrawberryField) or call is None:
        raise NotCovered
    whole = _whole(place, call)
    if getattr(call, "_is_default", False):
        return definition.python_name, whole
    resolver = definition.base_resolver
    if resolver is None or definition.extensions:
        return "", whole
    with contextlib.suppress(NotCovered):
        return "", _bare(place, definition, resolver, whole)
    return "", whole


def _whole(place: _Place, call: Callable[..., Any]) -> Resolve:
    """What calls the resolver as graphql-core does."""
    node = place.nodes[0]

    def resolve(source: Any, run: Run) -> Any:
        core = run.core
        given = get_argument_values(
            place.field, node, core.variable_values, None, core.hide_suggestions
        )
        return call(source, place.info(run), **given)

    return resolve


def _bare(
    place: _Place, definition: StrawberryField, resolver: StrawberryResolver[Any], whole: Resolve
) -> Resolve:
    """What calls the function behind a field, past Strawberry's wrappers.

    All rows of a run share one Info. Raises NotCovered for what its arguments may be.
    """
    call: Any = resolver.wrapped_func
    parents = {p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p}
    info = resolver.info_parameter
    arguments = Arguments(place.field, place.nodes[0])
    slot = id(place)

    def shared_info(run: Run) -> Info[Any, Any]:
        if slot not in run.infos:
            run.infos[slot] = Info(_raw_info=place.info(run), _field=definition)
        return run.infos[slot]

    def resolve(source: Any, run: Run) -> Any:
        try:
            named = arguments.of(run.core.variable_values.coerced)
        except NotPlain:
            return whole(source, run)
        for parent in parents:
            named[parent] = source
        if info is not None:
            named[info.name] = shared_info(run)
        return call(source, **named) if resolver.self_parameter else call(**named)

    # Most fields of rows are so.
    if list(resolver.signature.parameters) == [*parents, info and info.name]:
        return lambda source, run: call(source, shared_info(run))
    return resolve


def _non_null(complete: Complete, where: str) -> Complete:
    def present(value: Any, run: Run) -> Any:
        if value is None:
            raise TypeError(f"Cannot return null for non-nullable field {where}.")
        return complete(value, run)

    return present


def _nullable(complete: Complete) -> Complete:
    return lambda value, run: None if value is None else complete(value, run)


def _leaf(kind: GraphQLLeafType) -> Complete:
    expected, show = _plain(kind)

    def complete(value: Any, _run: Run) -> Any:
        if type(value) is expected:
            return show(value) if show else value
        if isinstance(value, Exception):
            raise value
        return CoreExecutor.complete_leaf_value(kind, value)

    return complete


def _plain(kind: Any) -> tuple[type | None, Callable[[Any], Any] | None]:
    """The type of the values that only have to be shown, and how; None where there is none."""
    if kind is GraphQLInt:
        return (
            int,
            lambda value: (
                value
                if -INT_BOUND <= value < INT_BOUND
                else CoreExecutor.complete_leaf_value(GraphQLInt, value)
            ),
        )
    if isinstance(kind, CustomGraphQLEnumType):
        members: Any = kind.wrapped_cls
        if all(kind.coerce_output_value(each) == each.name for each in members):
            return members, attrgetter("_name_")  # Python's own hash of a member takes longer
    if getattr(kind, "coerce_output_value", None) is clock.text:
        return datetime, clock.text
    return PLAIN.get(kind), None


def _list(complete: Complete, kind: GraphQLList[Any], place: _Place, path: _Path) -> Complete:
    depth = len(path) - 1
    nullable = not isinstance(kind.of_type, GraphQLNonNull)
    plain, show = _plain(get_nullable_type(kind.of_type))
    shown_as_they_are = set() if show else {plain}  # {None}, which nothing is of, for objects

    def whole(values: Any, run: Run) -> list[Any]:
        if type(values) is tuple and shown_as_they_are.issuperset(map(type, values)):
            return list(values)
        if isinstance(values, Exception):
            raise values
        if not is_iterable(values):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{place.name}'.")
        completed = []
        for index, value in enumerate(values):
            run.indices[depth] = index
            try:
                completed.append(complete(value, run))
            except Exception as error:  # noqa: BLE001 - as for a field
                place.failed(error, path, run, nullable=nullable)
                completed.append(None)
        return completed

    return whole
