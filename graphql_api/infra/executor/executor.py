"""From a GraphQL request to its answer: parse, guard, validate, choose, execute, present."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
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
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry import Schema

from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import (
    AppError,
    BadUserInput,
    InternalError,
    ParseFailed,
    QueryTooComplex,
    Spelling,
    UnknownOperation,
    ValidationFailed,
)
from graphql_api.infra import request_log
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.executor import compiler, limits, variable_errors

# graphql-core compares all pairs of fields of one name, and takes 500,000 steps for it: 300 ms.
# Documents of clients take none or a few.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000

CACHED_DOCUMENTS = 128
BRIEF = 100  # tokens: to check that many takes 5 ms; what is longer keeps nobody else waiting
COMPILED_OPERATIONS = 128  # of at most compiled.MOST_FIELDS each
MOST_ERRORS = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client wants to be executed."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and its form in a response (GraphQL, section 7.1.6)."""

    error: AppError
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets: data, errors, or both.

    `executed` is False for a request error: then there is no data, not even null.
    """

    data: dict[str, Any] | None
    errors: Sequence[Failure] = ()
    executed: bool = True

    @property
    def body(self) -> dict[str, Any]:
        """The answer as it goes over the wire (GraphQL, section 7.1)."""
        errors = [failure.response for failure in self.errors]
        body: dict[str, Any] = {"errors": errors} if errors else {}
        return {**body, "data": self.data} if self.executed else body


@dataclass(eq=False, slots=True)
class Operation:
    """One operation of a document that is fit to be executed."""

    document: DocumentNode
    node: OperationDefinitionNode
    does: str  # its only root field, or `several`
    introspects: bool  # which takes 25 ms and more
    executed: int = 0  # times; threads may miss one of them

    @property
    def name(self) -> str | None:
        """What the client calls it."""
        return self.node.name.value if self.node.name else None

    @property
    def writes(self) -> bool:
        """Whether it is a mutation."""
        return self.node.operation is OperationType.MUTATION


class RequestErrors(Exception):
    """Why a request cannot be executed at all."""

    def __init__(self, errors: Sequence[Failure]) -> None:
        super().__init__(errors)
        self.answer = Answer(None, errors, executed=False)

    @classmethod
    def of(cls, error: AppError) -> "RequestErrors":
        """A request that has this one error."""
        return cls([_failure(error)])


class Executor:
    """Executes requests against one schema; documents seen before are not looked at again."""

    def __init__(
        self,
        schema: Schema,
        *,
        costs: limits.Costs,
        introspection: bool,
        most: Limits = DEFAULT_LIMITS,
        long_documents: Bulkhead | None = None,
        introspections: Bulkhead | None = None,
    ) -> None:
        """`long_documents` and `introspections` bound what is done at once where clients ask."""
        # Resolvers' errors have the names of Python, whose form in the schema this says.
        self._spell = schema.config.name_converter.apply_naming_config
        self.schema = schema._schema  # noqa: SLF001 - Strawberry has no public name for its core schema
        # What goes on around an execution, such as a span of a trace.
        self.around: Callable[[Operation], AbstractContextManager[Any]] = nullcontext
        self._costs = costs
        self._introspection = introspection
        self._options: dict[str, Any] = {
            "is_awaitable": _never,
            "is_async_iterable": _never,
            "hide_suggestions": not introspection,
        }
        self._most = most
        hidden = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, *hidden)
        self._long_documents = long_documents
        self._introspections = introspections
        self._checked_lately = lru_cache(4)(self._checked)  # for those who have waited for it
        self.operations = lru_cache(CACHED_DOCUMENTS)(self._operations)
        self.compiled = lru_cache(COMPILED_OPERATIONS)(self._compiled)

    def run(self, request: Request, context: Any) -> Answer:
        """Execute a request, whichever operation it is; its errors are in the answer."""
        try:
            operation = self.operation(request)
        except RequestErrors as error:
            return error.answer
        return self.execute(operation, request, context)

    def operation(self, request: Request) -> Operation:
        """The operation that the request means; RequestErrors if there is none to execute."""
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
        """The operation's answer; a crash in it is logged once, under the request's id."""
        request_log.note(operation=operation.name or operation.node.operation.value)
        with self.around(operation):
            result = self._result_apart(operation, request, context)
        if not result.errors:
            return Answer(result.data)
        if result.data is None and all(error.path is None for error in result.errors):
            return Answer(None, self._variable_errors(operation, request, result), executed=False)
        return Answer(result.data, [self._present(error) for error in result.errors])

    def _result_apart(
        self, operation: Operation, request: Request, context: Any
    ) -> ExecutionResult:
        """The result; others go on meanwhile if it takes long whatever the store does."""
        if self._introspections is None or not operation.introspects:
            return self._result(operation, request, context)
        return self._introspections.run_in_thread(lambda: self._result(operation, request, context))

    def _result(self, operation: Operation, request: Request, context: Any) -> ExecutionResult:
        # What is asked once only is not worth it.
        made = self.compiled(operation) if operation.executed else None
        core: CoreExecutor[Any] | list[GraphQLError] | None = None
        if made:
            core = made.executor(context, request.variables, **self._options)
        if core is None:
            core = CoreExecutor.build(
                self.schema,
                operation.document,
                context_value=context,
                raw_variable_values=dict(request.variables),
                operation_name=operation.name,
                max_coercion_errors=MOST_ERRORS,
                **self._options,
            )
        if isinstance(core, list):
            return ExecutionResult(None, core)
        operation.executed += 1
        return made.run(core) if made else cast("ExecutionResult", core.execute_operation())

    def _compiled(self, operation: Operation) -> compiler.CompiledOperation | None:
        return compiler.of(self.schema, operation.document, operation.node)

    def _operations(self, query: str) -> dict[str | None, Operation]:
        document = self._document(query)
        fragments = {
            node.name.value: node.selection_set
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

        def operation(node: OperationDefinitionNode) -> Operation:
            roots = set(_fields(node.selection_set, fragments))
            introspects = not roots.isdisjoint(limits.META_FIELDS)
            return Operation(document, node, request_log.only(roots), introspects)

        operations = (
            operation(node)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        )
        return {operation.name: operation for operation in operations}

    def _document(self, query: str) -> DocumentNode:
        """The document if it can be executed; RequestErrors if not, ServiceUnavailable."""
        try:
            limits.check_tokens(query, self._most_tokens(query))
        except QueryTooComplex as error:
            raise RequestErrors.of(error) from None
        if self._long_documents is None or not limits.has_more_tokens(query, BRIEF):
            return self._checked(query)
        return self._long_documents.run_in_thread(lambda: self._checked_lately(query))

    def _checked(self, query: str) -> DocumentNode:
        try:
            document = parse(
                query, max_tokens=self._most_tokens(query), allow_empty_selection_sets=False
            )
            limits.check(document, self.schema, self._costs, self._most)
        except QueryTooComplex as error:
            raise RequestErrors.of(error) from None
        except GraphQLSyntaxError as error:
            if error.message.endswith("Parsing aborted."):  # the parser's own bounds
                raise RequestErrors.of(QueryTooComplex(_reason(error))) from None
            raise RequestErrors([_located(error, ParseFailed(error.message))]) from None
        errors = validate(
            self.schema,
            document,
            self._rules,
            max_errors=MOST_ERRORS,
            hide_suggestions=not self._introspection,
            allow_empty_selection_sets=False,
        )
        if any(error.message.startswith("Validation aborted.") for error in errors):
            raise RequestErrors.of(QueryTooComplex("The query compares too many fields."))
        if errors:
            raise RequestErrors(
                [_located(error, ValidationFailed(error.message)) for error in errors[:MOST_ERRORS]]
            )
        return document

    def _most_tokens(self, query: str) -> int:
        return limits.token_limit(query, self._most) if self._introspection else self._most.tokens

    def _variable_errors(
        self, operation: Operation, request: Request, result: ExecutionResult
    ) -> list[Failure]:
        found = self._problems(operation, request.variables)
        failures = [_failure(error) for error in islice(found, MOST_ERRORS)]
        return failures or [_failure(BadUserInput(e.message)) for e in result.errors or ()]

    def _problems(
        self, operation: Operation, variables: Mapping[str, Any]
    ) -> Iterator[BadUserInput]:
        for declared in operation.node.variable_definitions or ():
            name = declared.variable.name.value
            if name in variables or not declared.default_value:
                kind = cast("GraphQLInputType", type_from_ast(self.schema, declared.type))
                yield from variable_errors.problems(name, kind, variables.get(name))

    def _present(self, found: GraphQLError) -> Failure:
        """The one place where an error of a resolver gets its GraphQL form."""
        match found.original_error:
            case AppError() as error:
                return _located(found, error, self._spell)
            case None | GraphQLError():  # an argument, with variables in it, that does not fit
                return _located(found, BadUserInput(found.message))
            case crash:
                log.error(
                    "Request %s crashed at %s", request_log.request_id(), found.path, exc_info=crash
                )
                return _located(found, InternalError(request_log.request_id()), self._spell)


def _never(_value: Any) -> TypeGuard[Any]:
    """Whether a value is to be awaited: no resolver here is asynchronous."""
    return False


def _fields(selected: SelectionSetNode, fragments: dict[str, SelectionSetNode]) -> Iterator[str]:
    for selection in selected.selections:
        match selection:
            case FieldNode():
                yield selection.name.value
            case FragmentSpreadNode():
                yield from _fields(fragments[selection.name.value], fragments)
            case InlineFragmentNode():
                yield from _fields(selection.selection_set, fragments)


def _failure(error: AppError, spell: Spelling = str) -> Failure:
    message, details = error.render(spell)
    return Failure(error, {"message": message, "extensions": {"code": error.code, **details}})


def _located(found: GraphQLError, error: AppError, spell: Spelling = str) -> Failure:
    """Our error in the place where GraphQL found it."""
    failure, where = _failure(error, spell), found.formatted
    failure.response.update((name, where[name]) for name in ("locations", "path") if name in where)
    return failure


def _reason(error: GraphQLError) -> str:
    return error.message.removeprefix("Syntax Error: ")
