"""What an executor makes of a request before it executes anything."""

from dataclasses import replace

import pytest
from conftest import TASK, Api
from graphql import parse

from graphql_api import create_app
from graphql_api.api.graphql.schema import COSTS, SCHEMA
from graphql_api.config import Limits
from graphql_api.infra.executor import compiler
from graphql_api.infra.executor.executor import CACHED_DOCUMENTS, Executor, Request
from graphql_api.infra.executor.responses import RequestErrors


@pytest.fixture
def executor() -> Executor:
    return Executor(SCHEMA, costs=COSTS, introspection=True)


@pytest.fixture
def secretive() -> Executor:
    """An executor that tells nothing of its schema."""
    return Executor(SCHEMA, costs=COSTS, introspection=False)


def errors(executor: Executor, query: str, name: str | None = None) -> list[tuple[str, str]]:
    """Codes and messages of what an executor has against a request; none if it is fit."""
    try:
        executor.operation(Request(query, operation_name=name))
    except RequestErrors as refused:
        return [(e["extensions"]["code"], e["message"]) for e in refused.answer.body["errors"]]
    return []


def codes(executor: Executor, query: str, name: str | None = None) -> list[str]:
    return [code for code, _ in errors(executor, query, name)]


TWO = "query A { viewer { id } } mutation B { deleteTask(input: { id: 1 }) { deletedTaskId } }"


@pytest.mark.parametrize(
    ("query", "name", "code", "message"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."),
        ("# nothing", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."),
        ("{}", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found '}'."),
        ("{ viewer {} }", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found '}'."),
        (
            "{ viewer { ... {} } }",
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found '}'.",
        ),
        (
            '{ viewer { id "Parsing aborted" } }',
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found String 'Parsing aborted'.",
        ),
        (
            "{ viewer { id } } \ud800",
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Invalid character: U+D800.",
        ),
        (
            "{a" * 240,
            None,
            "QUERY_TOO_COMPLEX",
            "Document is nested too deeply. Parsing aborted.",
        ),
        (
            "{ a(b: " + "[" * 240 + "]" * 240 + ") }",
            None,
            "QUERY_TOO_COMPLEX",
            "Document is nested too deeply. Parsing aborted.",
        ),
        (
            "{ anybody }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'anybody' on type 'Query'.",
        ),
        (
            "subscription { viewer }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'viewer' on type 'Subscription'.",
        ),
        # Without an operation
        (
            "fragment F on User { id }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Fragment 'F' is never used.",
        ),
        (
            "type T { a: Int }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "The 'T' definition is not executable.",
        ),
        # With several, or with another one
        (
            TWO,
            None,
            "OPERATION_RESOLUTION_FAILURE",
            "operationName must say which operation.",
        ),
        (TWO, "C", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: C"),
        (TWO, "a", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: a"),
        ("{ viewer { id } }", "A", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: A"),
    ],
)
def test_a_request_that_cannot_be_executed_gets_one_error(executor, query, name, code, message):
    assert errors(executor, query, name) == [(code, message)]


def test_a_field_without_its_subfields_is_refused(executor):
    assert codes(executor, "{ viewer }") == ["GRAPHQL_VALIDATION_FAILED"]
    assert codes(executor, "{ viewer { id { a } } }") == ["GRAPHQL_VALIDATION_FAILED"]


def test_an_error_says_where_it_is_and_that_nothing_was_executed(executor):
    for query in ("{\n  viewer { id\n", "{\n  nobody\n}"):
        with pytest.raises(RequestErrors) as caught:
            executor.operation(Request(query))

        answer = caught.value.answer
        [error] = answer.body["errors"]
        assert error.keys() == {"message", "extensions", "locations"}
        assert answer.body == {"errors": [error]}
    assert error["locations"] == [{"line": 2, "column": 3}]


@pytest.mark.parametrize(("wrong", "reported"), [(1, 1), (5, 5), (6, 5), (400, 5)])
def test_at_most_five_validation_errors_are_reported(executor, wrong, reported):
    query = "{ viewer { " + "".join(f"x{number} " for number in range(wrong)) + "} }"

    assert errors(executor, query) == [
        ("GRAPHQL_VALIDATION_FAILED", f"Cannot query field 'x{number}' on type 'User'.")
        for number in range(reported)
    ]


@pytest.mark.parametrize(("name", "is_mutation"), [("A", False), ("B", True)])
def test_the_name_chooses_the_operation(executor, name, is_mutation):
    operation = executor.operation(Request(TWO, operation_name=name))

    assert (operation.node.name.value, operation.is_mutation) == (name, is_mutation)


@pytest.mark.parametrize(
    ("query", "name"), [("{ viewer { id } }", None), ("query A { viewer { id } }", "A")]
)
def test_a_lone_operation_needs_no_choice(executor, query, name):
    node = executor.operation(Request(query)).node

    assert (node.name.value if node.name else None) == name


def test_a_document_seen_before_is_not_looked_at_again(executor):
    first = executor.operation(Request(TWO, operation_name="A"))
    again = executor.operation(Request(TWO, {"other": "variables"}, "B"))

    assert first.document is again.document
    assert executor.operations.cache_info()[:2] == (1, 1)  # a hit, a miss


def test_of_what_clients_send_again_and_again_more_than_95_in_100_are_not_looked_at(executor):
    clients = [
        "query Tasks($first: Int) { tasks(first: $first) { nodes { id title } } }",
        "query Task($id: ID!) { task(id: $id) { id title status } }",
        "mutation Create($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }",
        "mutation Login($input: LoginInput!) { login(input: $input) { token } }",
        *(f"query Screen{number} {{ viewer {{ id username }} }}" for number in range(36)),
    ]
    for number in range(2_000):
        executor.operation(Request(clients[number % len(clients)], {"first": number, "id": number}))
        if number % 100 == 0:  # somebody who sends whatever comes to mind
            codes(executor, f"query Odd{number} {{ viewer {{ id }} }}")
            codes(executor, f"{{ wrong{number} }}")

    hits, misses, *_ = executor.operations.cache_info()
    assert hits + misses == 2_000 + 2 * 20
    assert hits / (hits + misses) > 0.95


def test_a_refused_document_is_not_kept(executor):
    assert codes(executor, "{ nobody }") == codes(executor, "{ nobody }")
    assert executor.operations.cache_info().currsize == 0


def test_only_so_many_documents_are_kept(executor):
    for number in range(CACHED_DOCUMENTS + 10):
        executor.operation(Request(f"query Q{number} {{ viewer {{ id }} }}"))

    assert executor.operations.cache_info().currsize == CACHED_DOCUMENTS == 128


# Without introspection


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { description } }",
        '{ __type(name: "User") { name } }',
        "{ ...F } fragment F on Query { ... { a: __schema { description } } }",
    ],
)
def test_questions_about_the_schema_are_answered_only_if_they_may_be(executor, secretive, query):
    assert errors(executor, query) == []
    [(code, message)] = errors(secretive, query)
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert "GraphQL introspection has been disabled" in message


def test_the_name_of_a_type_is_always_told(secretive):
    assert errors(secretive, "{ __typename viewer { __typename id } }") == []


@pytest.mark.parametrize(
    "query",
    [
        "{ viewe { id } }",
        "{ viewer }",
        "{ tasks { nodes } }",
        "{ viewer { usernam } }",
        "{ viewer { ... on Use { id } } }",
        "{ tasks(firs: 1) { totalCount } }",
        "{ tasks(filter: { statu: PENDING }) { totalCount } }",
        "{ tasks(filter: { status: PENDIN }) { totalCount } }",
        '{ tasks(filter: { status: "PENDING" }) { totalCount } }',
        "query ($f: TaskFilte) { tasks(filter: $f) { totalCount } }",
        "{ viewer { id @skip(i: true, if: true) } }",
    ],
)
def test_suggestions_are_made_only_where_the_schema_is_no_secret(executor, secretive, query):
    assert any("Did you mean" in message for _, message in errors(executor, query))
    assert codes(secretive, query) == codes(executor, query)
    assert not any("Did you mean" in message for _, message in errors(secretive, query))


# What operators can set


@pytest.mark.parametrize(
    ("most", "text", "what"),
    [
        (Limits(tokens=10), "{ viewer { id username createdAt id id id } }", "10 tokens"),
        (Limits(depth=2), "{ tasks { nodes { id } } }", "too many levels of depth: at most 2"),
        (Limits(fields=2), "{ viewer { id username } }", "too many fields: at most 2"),
        (Limits(aliases=0), "{ viewer { a: id } }", "aliases: at most 0"),
        (Limits(root_fields=1), "{ viewer { id } tasks { totalCount } }", "root fields: at most 1"),
        (Limits(directives=0), "{ viewer { id @skip(if: true) } }", "directives: at most 0"),
    ],
)
def test_a_limit_can_be_set(most, text, what):
    request = Request(text)
    Executor(SCHEMA, costs=COSTS, introspection=False).operation(request)  # it is well by default

    with pytest.raises(RequestErrors) as refused:
        Executor(SCHEMA, costs=COSTS, introspection=False, limits=most).operation(request)

    [error] = refused.value.answer.body["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert what in error["message"]


def test_rest_works_whatever_the_limits_of_documents_are(engine, ann):
    strict = Limits(tokens=10, depth=1, fields=1, aliases=0, root_fields=1, directives=0)
    api = Api(create_app(replace(engine, limits=strict)).test_client())

    [refused] = api.graphql(TASK, ann.token, id="any")["errors"]

    assert refused["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
    assert api.rest("GET", "/api/v1/tasks", ann.token).json == []


def test_only_what_is_asked_again_is_compiled_and_nothing_large(executor):
    # 105 operations of 500 fields each, 1,000 tokens in all: 4 s of CPU if all were compiled.
    fragments = "fragment F on User { a: id b: id c: id d: id e: id } "
    many = fragments + " ".join(f"query q{number} {{ viewer {{ ...F }} }}" for number in range(90))

    operation = executor.operation(Request(many, operation_name="q7"))

    assert executor.compiled.cache_info().currsize == 0
    assert executor.compiled(operation) is not None
    fields = " ".join(f"f{number}: id" for number in range(compiler.MAX_FIELDS))
    large = parse(f"{{ viewer {{ {fields} }} }}")
    assert compiler.compile_operation(executor.schema, large, large.definitions[0]) is None


@pytest.mark.parametrize("compiles", [True, False])
def test_operations_are_compiled_unless_that_is_switched_off(engine, ann, monkeypatch, compiles):
    ann.graphql('mutation { createTask(input: {title: "x"}) { task { id } } }')
    compiled = []

    def noted(schema, document, operation):
        compiled.append(operation.name.value)
        return compiler.compile_operation(schema, document, operation)

    monkeypatch.setattr("graphql_api.infra.executor.executor.compile_operation", noted)
    api = Api(create_app(replace(engine, compiled_operations=compiles)).test_client())
    query = "query Own { tasks { nodes { title owner { username } } } }"

    answers = [api.graphql(query, ann.token) for _ in range(3)]
    listed = [api.rest("GET", "/api/v1/tasks", ann.token).json for _ in range(3)]

    [task] = answers[0]["data"]["tasks"]["nodes"]
    assert task["title"] == "x"
    assert answers[0] == answers[1] == answers[2]
    assert [[each["title"] for each in tasks] for tasks in listed] == [["x"]] * 3
    assert compiled == (["Own", "ListTasks"] if compiles else [])
