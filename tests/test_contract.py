"""What is written down is what runs."""

import ast
import re
from functools import cache
from sys import stdlib_module_names

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    parse,
    validate,
)
from service import ROOT

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.api.graphql.tasks.inputs import CreateTaskInput, UpdateTaskInput
from graphql_api.api.rest.operations import Operations
from graphql_api.api.rest.routes import ROUTES
from graphql_api.config import Config, Limits
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import AppError

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
    schema = build_schema(SCHEMA.as_str())
    operations = Operations(schema)

    assert validate(schema, parse(operations.text)) == []
    assert {route.operation for route in ROUTES} == set(operations)


# What a creation says beside the fields of the task.
CREATE_OPTIONS = {
    *("idempotency_key", "recurrence", "blocked_by", "blocked_by_index", "parent_index"),
}
# What an update says beside the fields of the task.
UPDATE_OPTIONS = {
    "add_tags",
    "remove_tags",
    "id",
    "expected_version",
    "force",
    "merge_disjoint",
    "idempotency_key",
    "recurrence",
}


def test_inputs_have_no_field_that_a_task_does_not_have():
    task = set(Task.__dataclass_fields__)

    assert set(CreateTaskInput.__annotations__) - CREATE_OPTIONS <= task
    assert set(UpdateTaskInput.__annotations__) - UPDATE_OPTIONS <= task


def test_the_codes_are_the_closed_list():
    assert {AppError.code, *(error.code for error in AppError.__subclasses__())} == {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "NOT_FOUND",
        "CURSOR_EXPIRED",
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
    "boto3": {
        "infra/dynamodb/database.py",
        "infra/dynamodb/expressions.py",
        "infra/dynamodb/session.py",
    },
    "botocore": {
        "infra/dynamodb/database.py",
        "infra/dynamodb/protocol.py",
        "infra/dynamodb/session.py",
        "infra/dynamodb/tables.py",
    },
    "argon2": {"domain/accounts/passwords.py"},
    "dateutil": {"domain/recurrence/days.py"},
    "jwt": {"domain/accounts/tokens.py"},
    "flask": {
        "app.py",
        "api/http/application.py",
        "api/http/event_streams.py",
        "api/http/graphql_view.py",
        "api/http/problems.py",
        "api/http/responses.py",
        "api/http/routes.py",
        "api/mcp/routes.py",
        "api/mcp/view.py",
        "api/rest/export.py",
        "api/rest/problems.py",
        "api/rest/views.py",
    },
    "prometheus_client": {
        "infra/telemetry/metrics.py",
        "infra/telemetry/prometheus.py",
        "infra/telemetry/tally.py",
    },
    "opentelemetry": {"infra/telemetry/tracing.py"},
    # What werkzeug has hashed, only werkzeug should check.
    "werkzeug": {
        "app.py",
        "api/http/requests.py",
        "api/http/graphql_view.py",
        "api/http/application.py",
        "api/http/problems.py",
        "api/rest/parameters.py",
        "api/rest/query.py",
        "domain/accounts/legacy_hashes.py",
    },
    "click": {"cli/main.py"},
    "urllib3": {"infra/outgoing/client.py"},
    "standardwebhooks": {"domain/webhooks/delivery.py"},
    "granian": {"infra/serving/server.py"},
    "greenlet": {"infra/concurrency/hub.py"},
    "orjson": {
        "api/http/event_streams.py",
        "api/http/requests.py",
        "api/mcp/tools.py",
        "clock.py",
        "domain/archive/lines.py",
        "infra/dynamodb/protocol.py",
        "infra/executor/answer_size.py",
        "infra/request_log.py",
        "api/http/responses.py",
    },
    "apig_wsgi": {"aws_lambda.py"},
    "icalendar": {"domain/busy_calendars/parsing.py"},
    "strawberry": {
        "api/graphql/blocks/now.py",
        "api/graphql/blocks/operations.py",
        "api/graphql/blocks/types.py",
        "api/graphql/blocks/work.py",
        "api/graphql/connection.py",
        "api/graphql/strawberry_extras.py",
        "api/graphql/context.py",
        "api/graphql/costs.py",
        "infra/executor/executor.py",
        "infra/executor/compiler.py",
        "infra/executor/coercion.py",
        "api/graphql/scalars.py",
        "api/graphql/schema.py",
        "api/graphql/nodes/interface.py",
        "api/graphql/nodes/operations.py",
        "api/graphql/access/operations.py",
        "api/graphql/access/scopes.py",
        "api/graphql/accounts.py",
        "api/graphql/changes.py",
        *(
            f"api/graphql/recurrence/{name}.py"
            for name in ("inputs", "operations", "payloads", "types")
        ),
        "api/graphql/plans/inputs.py",
        "api/graphql/plans/operations.py",
        "api/graphql/plans/payloads.py",
        "api/graphql/plans/types.py",
        "api/graphql/settings.py",
        *(
            f"api/graphql/{feature}/{name}.py"
            for feature in ("calendars", "projects", "quick_add", "views", "webhooks")
            for name in ("inputs", "operations", "types")
        ),
        *(
            f"api/graphql/tasks/{name}.py"
            for name in (
                "conditions",
                "fields",
                "inputs",
                "listing",
                "operations",
                "payloads",
                "reminders",
                "types",
            )
        ),
    },
}


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


def test_planning_needs_nothing_but_errors_and_the_standard_library():
    found = {
        imported.split(".")[0] if not imported.startswith("graphql_api") else imported
        for name, path in modules().items()
        if name.startswith("domain/planner/")
        for imported in imports(path)
        if not imported.startswith("graphql_api.domain.planner")
    }

    errors = {f"graphql_api.errors.{name}" for name in ("BadUserInput", "FIELD", "named")}

    assert found <= {"graphql_api.errors", *errors, *stdlib_module_names}


def blocking_calls(path):
    """The names of calls that block a thread, unless waiting.py has them: it asks for the hub."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    waiting = "graphql_api.infra.concurrency.waiting"
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    ours = {alias.name for node in imports if node.module == waiting for alias in node.names}
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    called = {getattr(each, "attr", getattr(each, "id", None)) for each in functions}
    return (called - ours) & {"sleep", "wait", "result", "acquire"}


def test_what_answers_requests_waits_by_the_hub_only():
    """Else one request would keep all others of its process waiting (docs/decisions/0011)."""
    found = {name for name, path in modules().items() if blocking_calls(path)}

    # The others do so at the start and the end of a process, or in threads of their own.
    assert found == {
        "infra/concurrency/hub.py",
        "infra/concurrency/waiting.py",
        *(
            "infra/process_wide.py",
            "domain/changes/live.py",
            "domain/dispatch.py",
            "infra/outgoing/client.py",  # it acquires without waiting
            "infra/serving/connections.py",
            "infra/serving/files.py",
            "infra/serving/server.py",
            "infra/serving/watchdog.py",
            "infra/telemetry/prometheus.py",
            "infra/dynamodb/embedded.py",
            "infra/dynamodb/tables.py",
        ),
    }


def test_every_setting_is_documented():
    source = (PACKAGE / "config.py").read_text()
    read = set(re.findall(r'read\(\s*"([A-Z_]+)"', source))
    documented = settings_in("docs/settings.md")

    fields = {*Config.__dataclass_fields__, *Limits.__dataclass_fields__}
    assert len(read) == len(
        fields - {"engine_url", "argon2_profile", "max_hashes", "limits", "traces"}
    )
    assert documented == read
    assert settings_in("README.md") < read


def settings_in(page):
    """The variables of the table of settings on a page."""
    names = re.findall(r"^\| ([A-Z_`, ]+) \|", (ROOT / page).read_text(), re.MULTILINE)
    return {name.strip("` ") for each in names for name in each.split(",")}
