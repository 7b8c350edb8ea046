"""The names of libraries that we use though they are private or undocumented, in one list.

A release may remove any of them without notice. Whoever raises a version here and in
constraints.txt learns from these tests which is gone, and where it is used.
"""

import ast
import logging
import os
import re
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import boto3
import granian
import pytest
import strawberry
from granian.server.mp import WorkerProcess
from graphql import parse
from graphql.execution import Executor
from prometheus_client import Histogram
from test_contract import modules

from graphql_api.api.graphql.schema import SCHEMA

# By package, with the version that the list was last read against.
NAMES = {
    ("boto3", "1.44.5"): {
        "Session._session": "infra/dynamodb/session.py",
        "dynamodb.conditions.AttributeBase": "infra/dynamodb/expressions.py",
        "dynamodb.conditions.ConditionBase.get_expression": "infra/dynamodb/expressions.py",
        "dynamodb.conditions.ConditionExpressionBuilder.build_expression": (
            "infra/dynamodb/expressions.py"
        ),
    },
    ("botocore", "1.44.5"): {
        "Session.get_component": "infra/dynamodb/session.py",
        "CredentialResolver.remove": "infra/dynamodb/session.py",
        "client._request_signer._credentials": "infra/dynamodb/session.py",
        "client._endpoint.http_session._verify": "infra/dynamodb/session.py",
        "client.meta.events.emit_until_response": "infra/dynamodb/protocol.py",
        "awsrequest.AWSPreparedRequest": "infra/dynamodb/protocol.py",
        "credentials.RefreshableCredentials.refresh_needed": "infra/dynamodb/protocol.py",
        "httpsession.ProxyConfiguration.proxy_url_for": "infra/dynamodb/http_connection.py",
        "httpsession.ProxyConfiguration.proxy_headers_for": "infra/dynamodb/http_connection.py",
        "httpsession.create_urllib3_context": "infra/dynamodb/session.py",
        "httpsession.get_cert_path": "infra/dynamodb/session.py",
        "utils.get_environ_proxies": "infra/dynamodb/session.py",
    },
    ("strawberry-graphql", "0.341.2"): {
        "Schema._schema": "infra/executor/executor.py",
        "Info._raw_info": "api/graphql/tasks/operations.py",
        "Info._field": "infra/executor/compiler.py",
        "CreateTaskInput.from_input": "infra/executor/coercion.py",
        "CreateTaskInput.origin": "infra/executor/coercion.py",
        "CreateTaskInput.fields": "infra/executor/coercion.py",
        "task.base_resolver": "infra/executor/compiler.py",
        "task.extensions": "infra/executor/compiler.py",
        "task.python_name": "infra/executor/compiler.py",
        "task.default_value": "infra/executor/coercion.py",
        "task.default_factory": "infra/executor/coercion.py",
        "task.metadata": "api/graphql/costs.py",
        "resolver.info_parameter": "infra/executor/compiler.py",
        "resolver.parent_parameter": "infra/executor/compiler.py",
        "resolver.root_parameter": "infra/executor/compiler.py",
        "resolver.self_parameter": "infra/executor/compiler.py",
        "resolver.signature": "infra/executor/compiler.py",
        "resolver.wrapped_func": "infra/executor/compiler.py",
        "TaskStatus.wrapped_cls": "infra/executor/compiler.py",
        "resolvers.is_default_resolver": "infra/executor/compiler.py",
        "schema.schema_converter.CustomGraphQLEnumType": "infra/executor/compiler.py",
        "schema.schema_converter.GraphQLCoreConverter.DEFINITION_BACKREF": (
            "infra/executor/coercion.py"
        ),
        "types.base.StrawberryMaybe": "infra/executor/coercion.py",
        "types.field.StrawberryField": "infra/executor/compiler.py",
        "types.fields.resolver.StrawberryResolver": "infra/executor/compiler.py",
    },
    ("graphql-core", "3.3.2"): {
        "Executor.build": "infra/executor/executor.py",
        "Executor.build_resolve_info": "infra/executor/compiler.py",
        "Executor.collected_errors.add": "infra/executor/compiler.py",
        "Executor.collected_errors.errors": "infra/executor/compiler.py",
        "Executor.complete_leaf_value": "infra/executor/compiler.py",
        "Executor.execute_operation": "infra/executor/executor.py",
        "Executor.hide_suggestions": "infra/executor/compiler.py",
        "Executor.root_value": "infra/executor/compiler.py",
        "Executor.variable_values.coerced": "infra/executor/compiler.py",
        "execution.Executor": "infra/executor/executor.py",
        "execution.collect_fields.FragmentDetails": "infra/executor/compiler.py",
        "execution.get_variable_signature.get_variable_signature": "infra/executor/coercion.py",
        "execution.values.VariableValueSource": "infra/executor/coercion.py",
        "execution.values.VariableValues": "infra/executor/coercion.py",
        "execution.values.get_argument_values": "infra/executor/compiler.py",
        "pyutils.Path": "infra/executor/compiler.py",
        "pyutils.is_iterable": "infra/executor/compiler.py",
        "type.GraphQLInputObjectType.out_type": "infra/executor/coercion.py",
        "utilities.coerce_input_value.coerce_default_value": "infra/executor/coercion.py",
        "utilities.coerce_input_value.coerce_input_literal": "infra/executor/coercion.py",
        "validation.rules.overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET": (
            "infra/process_wide.py"
        ),
    },
    ("prometheus-client", "0.26.0"): {
        "Histogram._upper_bounds": "infra/telemetry/tally.py",
        "Histogram._sum.inc": "infra/telemetry/tally.py",
        "Histogram._buckets": "infra/telemetry/tally.py",
    },
    ("granian", "2.8.7"): {
        "Granian.pid": "infra/serving/server.py",
        "Granian.wrks": "infra/serving/server.py",
        "Granian.signal_handler_interrupt": "infra/serving/server.py",
        "Granian.signal_handler_reload": "infra/serving/server.py",
        "Granian.respawned_wrks.clear": "infra/serving/server.py",
        "Granian._respawn_workers": "infra/serving/server.py",
        "loops.register": "infra/serving/server.py",
        "WorkerProcess.inner": "infra/serving/server.py",
    },
    ("urllib3", "2.8.0"): {
        "connection.HTTPConnection._new_conn": "infra/outgoing/client.py",
    },
    ("Python", "3.11"): {
        "logging._srcfile": "infra/process_wide.py",
        "os._exit": "infra/concurrency/hub.py",  # documented, in spite of its name
    },
}


def objects():
    """What the first part of a name stands for, where that is no module of the package."""
    session = boto3.session.Session(
        region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client = session.client("dynamodb")
    server = granian.Granian("app")
    types = SCHEMA._schema.type_map
    task = types["Query"].fields["task"].extensions["strawberry-definition"]
    return {
        "boto3 Session": session,
        "botocore Session": session._session,
        "botocore CredentialResolver": session._session.get_component("credential_provider"),
        "botocore client": client,
        "strawberry-graphql Schema": SCHEMA,
        "strawberry-graphql CreateTaskInput": (
            types["CreateTaskInput"].extensions["strawberry-definition"]
        ),
        "strawberry-graphql TaskStatus": types["TaskStatus"],
        "strawberry-graphql task": task,
        "strawberry-graphql resolver": task.base_resolver,
        "graphql-core Executor": Executor.build(SCHEMA._schema, parse("{ __typename }")),
        "strawberry-graphql Info": strawberry.Info(None, None),
        "granian Granian": server,
        "granian WorkerProcess": WorkerProcess(server, 1, print, ()),
        "prometheus-client Histogram": Histogram("name", "text", registry=None),
        "Python logging": logging,
        "Python os": os,
    }


MODULES = {"strawberry-graphql": "strawberry", "graphql-core": "graphql"}
CASES = [
    pytest.param(package, name, id=f"{package} {version}: {name}")
    for (package, version), names in NAMES.items()
    for name in names
]


@pytest.fixture(scope="module")
def found():
    return objects()


def reach(package, name, found):
    """The object of this name; AttributeError or ImportError if there is none."""
    first, *parts = name.split(".")
    value = found.get(f"{package} {first}")
    if value is None:
        value, parts = module_of(MODULES.get(package, package), [first, *parts])
    for part in parts:
        value = getattr(value, part)
    return value


def module_of(path, parts):
    """The innermost module of a path, and the parts that are left of it."""
    if parts and find_spec(path).submodule_search_locations and find_spec(f"{path}.{parts[0]}"):
        return module_of(f"{path}.{parts[0]}", parts[1:])
    return import_module(path), parts


@pytest.mark.parametrize(("package", "name"), CASES)
def test_each_private_name_is_still_there(package, name, found):
    reach(package, name, found)


@pytest.mark.parametrize(("package", "name"), [("botocore", "client._gone"), ("granian", "gone")])
def test_a_name_that_is_gone_is_missed(package, name, found):
    with pytest.raises((AttributeError, ImportError)):
        reach(package, name, found)


@pytest.mark.parametrize(("package", "known"), [key for key in NAMES if key[0] != "Python"])
def test_the_list_was_read_against_the_version_that_is_installed(package, known):
    assert version(package) == known


def test_each_private_name_is_used_where_the_list_says():
    for names in NAMES.values():
        for name, module in names.items():
            assert re.search(rf"\b{name.rpartition('.')[2]}\b", modules()[module].read_text()), name


def private_attributes(path):
    """The private names of other objects that a module takes."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in {"_asdict", "_replace"}  # documented methods of named tuples
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
        and not (isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()")
    }


def test_no_private_name_is_used_that_is_not_in_the_list():
    listed = {part for names in NAMES.values() for name in names for part in name.split(".")}
    used = {
        attribute: name
        for name, path in modules().items()
        for attribute in private_attributes(path)
    }

    assert {name: module for name, module in used.items() if name not in listed} == {}


def from_inner_modules(path):
    """The names that a module imports from within strawberry and graphql-core, and only there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and "." in node.module:
            package, _, inner = node.module.partition(".")
            for alias in node.names if package in {"strawberry", "graphql"} else ():
                if not hasattr(import_module(package), alias.name):
                    yield f"{inner}.{alias.name}"


# Documented by their own pages, though the package itself does not export them.
DOCUMENTED = {
    "schema.config.StrawberryConfig",
    "schema.name_converter.NameConverter",
    "types.scalar.ScalarDefinition",
}


def test_no_inner_module_is_imported_from_that_is_not_in_the_list():
    listed = {f"{name}." for names in NAMES.values() for name in names}
    imported = {name for path in modules().values() for name in from_inner_modules(path)}

    others = {name for name in imported if not any(each.startswith(f"{name}.") for each in listed)}
    assert others == DOCUMENTED
