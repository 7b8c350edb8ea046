"""What is written down is what runs."""

import ast
import re
from functools import cache
from pathlib import Path
from sys import stdlib_module_names

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from graphql_api.config import Config
from graphql_api.errors import AppError
from graphql_api.limits import Limits
from graphql_api.rest import DOCUMENT, ROUTES
from graphql_api.schema import SCHEMA
from graphql_api.tasks.model import Task
from graphql_api.tasks.schema import CreateTaskInput, UpdateTaskInput

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "graphql_api"


def test_schema_graphql_is_the_schema():
    assert (ROOT / "schema.graphql").read_text() == SCHEMA.as_str() + "\n", "run: make schema"


def described():
    for kind in build_schema(SCHEMA.as_str()).type_map.values():
        if kind.name.startswith("__") or not kind.ast_node:
            continue
        yield kind.name, kind.description
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                for argument, definition in field.args.items():
                    yield f"{kind.name}.{name}({argument}:)", definition.description
        elif isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
        elif isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield f"{kind.name}.{name}", value.description


@pytest.mark.parametrize(("name", "description"), list(described()))
def test_everything_in_the_schema_is_described(name, description):
    assert description, name


def test_the_operations_behind_the_rest_routes_fit_the_schema():
    document = parse(DOCUMENT)

    operations = {
        node.name.value
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    assert validate(build_schema(SCHEMA.as_str()), document) == []
    assert {route.operation for route in ROUTES} == operations


def test_inputs_have_no_field_that_a_task_does_not_have():
    task = set(Task.__dataclass_fields__)

    assert set(CreateTaskInput.__annotations__) - {"idempotency_key"} <= task
    assert set(UpdateTaskInput.__annotations__) - {"id", "expected_version", "force"} <= task


def test_the_codes_are_the_closed_list():
    assert {AppError.code, *(error.code for error in AppError.__subclasses__())} == {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "NOT_FOUND",
        "BAD_USER_INPUT",
        "CONFLICT",
        "RATE_LIMITED",
        "QUERY_TOO_COMPLEX",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "PERSISTED_QUERY_NOT_FOUND",
        "SERVICE_UNAVAILABLE",
        "INTERNAL_SERVER_ERROR",
    }


# Each third-party library has its doors, and imports run one way.

DOORS = {
    "boto3": {"dynamodb/client.py"},
    "botocore": {
        *("dynamodb/client.py", "dynamodb/connection.py"),
        *("dynamodb/tables.py", "dynamodb/wire.py"),
    },
    "argon2": {"accounts/passwords.py"},
    "jwt": {"accounts/tokens.py"},
    "flask": {
        "__init__.py",
        "bodies.py",
        "endpoint.py",
        "http.py",
        "replies.py",
        "rest.py",
        "tracing.py",
    },
    "prometheus_client": {"exposition.py"},
    "opentelemetry": {"tracing.py"},
    "flask_cors": {"__init__.py"},
    # What werkzeug has hashed, only werkzeug should check.
    "werkzeug": {
        *("__init__.py", "bodies.py", "endpoint.py", "http.py", "replies.py", "rest.py"),
        "accounts/older_hashes.py",
    },
    "click": {"__main__.py"},
    "granian": {"server.py"},
    "greenlet": {"hub.py"},
    "orjson": {"bodies.py", "clock.py", "dynamodb/wire.py", "logs.py", "replies.py"},
    "apig_wsgi": {"aws_lambda.py"},
    "strawberry": {
        "arguments.py",
        "connection.py",
        "enums.py",
        "context.py",
        "execution.py",
        "compiled.py",
        "compiled_inputs.py",
        "scalars.py",
        "schema.py",
        "accounts/schema.py",
        "plans/schema.py",
        "settings/schema.py",
        "tasks/schema.py",
    },
}

# From the bottom up; a module may import from the layers below its own, and from its own.
LAYERS = [
    {"errors", "ids", "clock", "logs", "hub", "lazy", "wsgi", "draining", "counts", "records"},
    {
        "config",
        "paging",
        "negotiation",
        "limits",
        "arguments",
        "enums",
        "inputs",
        "graphiql",
        "scalars",
        "documents",
        "front",
        "stepping",
    },
    {"plan_page"},
    {"dynamodb"},
    {"envelope", "places", "watchdog"},
    {"planning.minutes"},
    {"planning.model"},
    {"planning.calendar"},
    {"planning.room"},
    {"planning.instance"},
    {"planning.rules", "planning.explanation"},
    {"planning.search"},
    {"planning.plan"},
    {"accounts.older_hashes"},
    {
        *("accounts.common", "accounts.model", "accounts.passwords", "accounts.tokens"),
        *("settings.model", "tasks.dependencies", "tasks.model", "tasks.urgency"),
    },
    {"accounts.store", "settings.store", "tasks.dependency_store", "tasks.store", "plans.model"},
    {"accounts.live", "accounts.attempts", "plans.store"},
    {"accounts.service", "settings.service", "tasks.service", "plans.service"},
    {"connection", "lookahead", "tasks.neighbours", "tasks.ranking"},
    {"context"},
    {"settings.schema", "tasks.schema"},
    {"accounts.schema", "plans.schema"},
    {"compiled_inputs"},
    {"compiled"},
    {"schema", "execution"},
    {"bodies", "replies"},
    {"endpoint"},
    {"http"},
    {"rest"},
    {"openapi", "metrics", "tracing"},
    {"exposition"},
    {""},
    {"server", "aws_lambda"},
    {"commands.archive", "commands.older"},
    {"commands.migration"},
    {"__main__"},
]


def modules():
    return {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}


@cache
def imports(path):
    """What a module imports, as absolute dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return found


def test_each_library_has_its_doors():
    found = {
        library: {
            name
            for name, path in modules().items()
            if any(imported.split(".")[0] == library for imported in imports(path))
        }
        for library in DOORS
    }

    assert found == DOORS


def layer(name):
    """The layer of a dotted name within the package; None for a name that is no module."""
    for number, names in enumerate(LAYERS):
        if name in names or name.split(".")[0] in names & {"dynamodb"}:
            return number
    return None


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_run_one_way(name):
    dotted = name.removesuffix(".py").removesuffix("__init__").replace("/", ".").strip(".")
    own = layer(dotted)
    if own is None:
        assert dotted in {"accounts", "settings", "tasks", "commands", "planning", "plans"}, (
            f"{dotted} is in no layer"
        )
        own = 0

    too_high = {
        imported
        for imported in imports(modules()[name])
        if imported.startswith("graphql_api.")
        and (layer(imported.removeprefix("graphql_api.")) or 0) > own
    }

    assert too_high == set()


def test_planning_needs_nothing_but_errors_and_the_standard_library():
    found = {
        imported.split(".")[0] if not imported.startswith("graphql_api") else imported
        for name, path in modules().items()
        if name.startswith("planning/")
        for imported in imports(path)
        if not imported.startswith("graphql_api.planning")
    }

    assert found <= {"graphql_api.errors", "graphql_api.errors.BadUserInput", *stdlib_module_names}


def test_what_answers_requests_waits_by_the_hub_only():
    """Else one request would keep all others of its process waiting (docs/decisions/0011)."""
    waits = {"sleep", "wait", "wait_for", "result", "acquire"}
    found = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", None)) in waits
    }

    # The others do so at the start and the end of a process, or in threads of their own.
    assert found == {
        "hub.py",
        *("server.py", "watchdog.py", "dynamodb/embedded.py", "dynamodb/tables.py"),
    }


def test_the_readme_documents_every_setting():
    source = (PACKAGE / "config.py").read_text()
    read = set(re.findall(r'read\(\s*"([A-Z_]+)"', source))
    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]

    names = re.findall(r"^\| ([A-Z_`, ]+) \|", table, re.MULTILINE)
    documented = {name.strip("` ") for each in names for name in each.split(",")}

    fields = {*Config.__dataclass_fields__, *Limits.__dataclass_fields__}
    assert len(read) == len(
        fields - {"engine_url", "argon2_profile", "most_hashes", "limits", "traces"}
    )
    assert documented == read
