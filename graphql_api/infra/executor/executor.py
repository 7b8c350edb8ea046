"""Execution of GraphQL requests: parse, limit, validate, choose the operation, execute."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any, TypeGuard, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)
from graphql.execution import Executor as CoreExecutor
from graphql.execution import create_source_event_stream
from strawberry import Schema

from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import (
    AppError,
    BadUserInput,
    ParseFailed,
    QueryTooComplex,
    UnknownOperation,
)
from graphql_api.infra import process_wide, request_log
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.executor import variable_errors
from graphql_api.infra.executor.answer_size import too_large, written
from graphql_api.infra.executor.compiler import CompiledOperation, compile_operation
from graphql_api.infra.executor.limits import (
    META_FIELDS,
    Costs,
    Extent,
    check,
    check_tokens,
    extent,
    has_more_tokens,
    token_limit,
)
from graphql_api.infra.executor.permissions import NO_PERMISSIONS, Needed, Permissions, needed
from graphql_api.infra.executor.responses import (
    Answer,
    Failure,
    RequestErrors,
    execution_failure,
    failure,
    input_error,
    located_failure,
    validation_failure,
)

CACHED_DOCUMENTS = 128
LONG_WORK = 6_000  # plain fields, which take 20 ms: others do not wait for operations with more
MEASURED_SIZE = 4 * 1024 * 1024  # bytes that an operation may ask for before its answer is measured
CACHED_OPERATIONS = 128  # compiled, of at most compiler.MAX_FIELDS each
SHORT_DOCUMENT = 100  # tokens: checking that many takes 5 ms, which others can wait for
MAX_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request of a client."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(eq=False, slots=True)
class Operation:
    """An operation of a document that was validated."""

    document: DocumentNode
    node: OperationDefinitionNode
    root_field: str  # its only one, or `several`
    introspects: bool  # which takes 25 ms and more
    extent: Extent  # its size, and that of the most that it can ask for
    needed: Needed  # what its fields declare of who may have them
    executed: int = 0  # times; threads may miss one of them

    @property
    def name(self) -> str | None:
        """The name that the client gave it."""
        return self.node.name.value if self.node.name else None

    @property
    def is_mutation(self) -> bool:
        """True if it writes."""
        return self.node.operation is OperationType.MUTATION

    @property
    def is_subscription(self) -> bool:
        """True if it is answered by a stream of events."""
        return self.node.operation is OperationType.SUBSCRIPTION


class Executor:
    """Executes requests against one schema; documents are checked once and then cached."""

    def __init__(
        self,
        schema: Schema,
        *,
        costs: Costs,
        introspection: bool,
        permissions: Permissions = NO_PERMISSIONS,
        limits: Limits = DEFAULT_LIMITS,
        compiled: bool = True,
        long_documents: Bulkhead | None = None,
        introspections: Bulkhead | None = None,
        long_operations: Bulkhead | None = None,
    ) -> None:
        """`compiled` is False to let graphql-core execute all operations.

        The bulkheads bound the documents and introspections that are worked on at once.
        """
        process_wide.bound_field_comparisons()
        # Resolvers' errors have the names of Python, whose form in the schema this says.
        self._spell = schema.config.name_converter.apply_naming_config
        self.schema = core_schema(schema)
        # A context manager around each execution, such as a span of a trace.
        self.around: Callable[[Operation], AbstractContextManager[Any]] = nullcontext
        self._costs = costs
        self._permissions = permissions
        self._introspection = introspection
        self._options: dict[str, Any] = {
            "is_awaitable": _never,
            "is_async_iterable": _never,
            "hide_suggestions": not introspection,
        }
        self.limits = limits
        self._compiles = compiled
        hidden = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, *hidden)
        self._long_documents = long_documents
        self._introspections = introspections
        self._long_operations = long_operations
        # Equal documents that wait for one another's check are checked once.
        self._recently_checked = lru_cache(4)(self._checked_document)
        self.operations = lru_cache(CACHED_DOCUMENTS)(self._operations)
        self.compiled = lru_cache(CACHED_OPERATIONS)(self._compiled)

    def run(self, request: Request, context: Any) -> Answer:
        """Execute a request; all errors are in the answer."""
        try:
            operation = self.operation(request)
        except RequestErrors as error:
            return error.answer
        return self.execute(operation, request, context)

    def operation(self, request: Request) -> Operation:
        """Find the operation to execute. Raises RequestErrors, ServiceUnavailable."""
        operations = self.operations(request.query)
        name = request.operation_name
        if name is None and len(operations) == 1:
            return next(iter(operations.values()))
        if name in operations:
            return operations[name]
        missing = (
            f"Unknown operation: {name}" if name else "operationName must say which operation."
        )
        raise RequestErrors.of(UnknownOperation(missing))

    def execute(self, operation: Operation, request: Request, context: Any) -> Answer:
        """Execute an operation; a crash is logged once, under the request's id."""
        request_log.annotate(operation=operation.name or operation.node.operation.value)
        if refusal := self._refusal(operation, context):
            return refusal
        with self.around(operation):
            return self._in_turn(operation, lambda: self._executed(operation, request, context))

    def _in_turn(self, operation: Operation, work: Callable[[], Answer]) -> Answer:
        """Do in a thread what takes long even if the store answers at once."""
        bulkhead = None
        if operation.introspects:
            bulkhead = self._introspections
        elif operation.extent.work > LONG_WORK or operation.extent.size > MEASURED_SIZE:
            bulkhead = self._long_operations
        return bulkhead.run_in_thread(work) if bulkhead else work()

    def _executed(self, operation: Operation, request: Request, context: Any) -> Answer:
        """Execute an operation, and write out an answer that may be too large."""
        if operation.is_mutation and operation.extent.size > self.limits.answer_bytes:
            return self._refused(too_large(self.limits.answer_bytes))
        result = self._result(operation, request, context)
        answer = self._answer(operation, request, result)
        if operation.is_mutation or operation.extent.size <= MEASURED_SIZE:
            return answer  # of what is written, the client hears: twice the limit at most
        try:
            return replace(answer, text=written(answer.body, self.limits.answer_bytes))
        except QueryTooComplex as error:
            return self._refused(error)

    def _refused(self, error: AppError) -> Answer:
        return RequestErrors.of(error, self._spell).answer

    def _refusal(self, operation: Operation, context: Any) -> Answer | None:
        """The answer to who may not have all fields of an operation; None to all others."""
        try:
            self._permissions.check(context, operation.needed)
        except AppError as error:
            return self._refused(error)
        return None

    def _answer(self, operation: Operation, request: Request, result: ExecutionResult) -> Answer:
        if not result.errors:
            return Answer(result.data)
        if result.data is None and all(error.path is None for error in result.errors):
            return Answer(None, self._variable_errors(operation, request, result), executed=False)
        failures = [execution_failure(error, self._spell) for error in result.errors]
        return Answer(result.data, failures)

    def subscribe(self, operation: Operation, request: Request, context: Any) -> Any:
        """The source that a subscription's root field returns, or an Answer with errors."""
        request_log.annotate(operation=operation.name or operation.node.operation.value)
        if refusal := self._refusal(operation, context):
            return refusal
        core = self._core(operation, request, context)
        source = (
            ExecutionResult(None, core)
            if isinstance(core, list)
            else create_source_event_stream(core)
        )
        if isinstance(source, ExecutionResult):
            return self._answer(operation, request, source)
        return source

    def execute_event(
        self, operation: Operation, request: Request, context: Any, event: Any
    ) -> Answer:
        """Execute a subscription for one event of its source."""
        core = self._core(operation, request, context, root_value=event)
        result = ExecutionResult(None, core) if isinstance(core, list) else core.execute_operation()
        return self._answer(operation, request, cast("ExecutionResult", result))

    def _result(self, operation: Operation, request: Request, context: Any) -> ExecutionResult:
        # Compiling takes longer than executing once.
        compiled = self.compiled(operation) if operation.executed and self._compiles else None
        core: CoreExecutor[Any] | list[GraphQLError] | None = None
        if compiled:
            core = compiled.executor(context, request.variables, **self._options)
        if core is None:
            core = self._core(operation, request, context)
        if isinstance(core, list):
            return ExecutionResult(None, core)
        operation.executed += 1
        return compiled.run(core) if compiled else cast("ExecutionResult", core.execute_operation())

    def _core(
        self, operation: Operation, request: Request, context: Any, root_value: Any = None
    ) -> CoreExecutor[Any] | list[GraphQLError]:
        return CoreExecutor.build(
            self.schema,
            operation.document,
            root_value=root_value,
            context_value=context,
            raw_variable_values=dict(request.variables),
            operation_name=operation.name,
            max_coercion_errors=MAX_ERRORS,
            **self._options,
        )

    def _compiled(self, operation: Operation) -> CompiledOperation | None:
        return compile_operation(self.schema, operation.document, operation.node)

    def _operations(self, query: str) -> dict[str | None, Operation]:
        document = self._document(query)
        fragments = {
            node.name.value: node.selection_set
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

        def operation(node: OperationDefinitionNode) -> Operation:
            roots = set(_root_fields(node.selection_set, fragments))
            introspects = not roots.isdisjoint(META_FIELDS)
            return Operation(
                document,
                node,
                request_log.single_or_several(roots),
                introspects,
                extent(document, node, self.schema, self._costs),
                needed(document, node, self.schema, self._permissions.declared),
            )

        operations = (
            operation(node)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        )
        return {operation.name: operation for operation in operations}

    def _document(self, query: str) -> DocumentNode:
        """Check a document, a long one in a thread. Raises RequestErrors, ServiceUnavailable."""
        try:
            check_tokens(query, self._token_limit(query))
        except QueryTooComplex as error:
            raise RequestErrors.of(error) from None
        if self._long_documents is None or not has_more_tokens(query, SHORT_DOCUMENT):
            return self._checked_document(query)
        return self._long_documents.run_in_thread(lambda: self._recently_checked(query))

    def _checked_document(self, query: str) -> DocumentNode:
        document = self._parsed(query)
        errors = validate(
            self.schema,
            document,
            self._rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=not self._introspection,
            allow_empty_selection_sets=False,
        )
        if any(error.message.startswith("Validation aborted.") for error in errors):
            raise RequestErrors.of(QueryTooComplex("The query compares too many fields."))
        if errors:
            raise RequestErrors(
                [
                    validation_failure(error, suggestions=self._introspection)
                    for error in errors[:MAX_ERRORS]
                ]
            )
        return document

    def _parsed(self, query: str) -> DocumentNode:
        """Parse a document and check its limits. Raises RequestErrors."""
        limit = self._token_limit(query)
        try:
            document = parse(query, max_tokens=limit, allow_empty_selection_sets=False)
            check(document, self.schema, self._costs, self.limits)
        except QueryTooComplex as error:
            raise RequestErrors.of(error) from None
        except GraphQLSyntaxError as error:
            if error.message.endswith("Parsing aborted."):  # the parser's own bounds
                reason = error.message.removeprefix("Syntax Error: ")
                raise RequestErrors.of(QueryTooComplex(reason)) from None
            raise RequestErrors([located_failure(error, ParseFailed(error.message))]) from None
        return document

    def _token_limit(self, query: str) -> int:
        return token_limit(query, self.limits) if self._introspection else self.limits.tokens

    def _variable_errors(
        self, operation: Operation, request: Request, result: ExecutionResult
    ) -> list[Failure]:
        problems = self._variable_problems(operation, request.variables)
        failures = [failure(error) for error in islice(problems, MAX_ERRORS)]
        return failures or [failure(input_error(error)) for error in result.errors or ()]

    def _variable_problems(
        self, operation: Operation, variables: Mapping[str, Any]
    ) -> Iterator[BadUserInput]:
        for definition in operation.node.variable_definitions or ():
            name = definition.variable.name.value
            if name in variables or not definition.default_value:
                type_ = cast("GraphQLInputType", type_from_ast(self.schema, definition.type))
                yield from variable_errors.problems(name, type_, variables)


def core_schema(schema: Schema) -> GraphQLSchema:
    """Return graphql-core's schema behind Strawberry's."""
    return schema._schema  # noqa: SLF001 - Strawberry has no public name for it


def _never(_value: Any) -> TypeGuard[Any]:
    """Tell graphql-core that a value is not to be awaited: no resolver here is asynchronous."""
    return False


def _root_fields(
    selected: SelectionSetNode, fragments: dict[str, SelectionSetNode]
) -> Iterator[str]:
    for selection in selected.selections:
        match selection:
            case FieldNode():
                yield selection.name.value
            case FragmentSpreadNode():
                yield from _root_fields(fragments[selection.name.value], fragments)
            case InlineFragmentNode():
                yield from _root_fields(selection.selection_set, fragments)
