"""The template deploys what the service needs, and allows what it does and nothing else."""

import ast
import re
import subprocess
import sysconfig
import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
import yaml
from conftest import DELETE, LOGIN, PASSWORD, TASK, TASKS, UPDATE, Api, Person, codes
from engines import CONFIG
from moto import mock_aws
from service import ROOT
from stack import TEMPLATE, deploy

from graphql_api import create_app
from graphql_api.config import Config
from graphql_api.domain.accounts import deletions
from graphql_api.domain.tables import TABLES, USERS
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables

CFN_LINT = Path(sysconfig.get_path("scripts"), "cfn-lint")

# What IAM asks for in a transaction: the action of each of its parts.
PARTS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}


class Loader(yaml.SafeLoader):
    """YAML in which CloudFormation's functions (`!Sub …`) are their arguments."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


@pytest.fixture(scope="module")
def template():
    return yaml.load(TEMPLATE.read_text(), Loader)  # noqa: S506 - a SafeLoader


class Stack:
    """The deployed template: its tables' configuration, and its policy."""

    def __init__(self) -> None:
        name = f"stack-{uuid.uuid4().hex}"
        self.config = replace(CONFIG, dynamodb="aws", table_prefix=f"{name}.")
        self.outputs = deploy(self.config.table_prefix, name)

    def allowed(self) -> set[tuple[str, str]]:
        """The policy: each action, and the table or index that it is allowed on."""
        iam = boto3.client("iam")
        policy = {"PolicyArn": self.outputs["PolicyArn"]}
        version = iam.get_policy(**policy)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(**policy, VersionId=version)["PolicyVersion"]
        return {
            (action.removeprefix("dynamodb:"), statement["Resource"].partition(":table/")[2])
            for statement in found["Document"]["Statement"]
            for action in _list(statement["Action"])
        }


def _list(value):
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def stack():
    with mock_aws():
        yield Stack()


def described(raw, prefix):
    """The tables of a deployment, but for their names, their times and what protects them."""
    own = {"TableName", "TableArn", "TableId", "CreationDateTime", "DeletionProtectionEnabled"}
    return {
        table.name: {
            name: value
            for name, value in raw.describe_table(TableName=prefix + table.name)["Table"].items()
            if name not in own
        }
        for table in TABLES
    }


def used(operation, params):
    """What IAM is asked for by a call: actions on tables and indexes."""
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            [(kind, arguments)] = item.items()
            yield PARTS[kind], arguments["TableName"]
    elif "RequestItems" in params:
        yield from ((operation, table) for table in params["RequestItems"])
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield operation, params["TableName"] + index


def test_cfn_lint_has_nothing_to_say():
    found = subprocess.run(
        [CFN_LINT, "--include-checks", "I", "--", TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_stack_makes_the_tables_that_the_service_makes(stack):
    raw = connect(stack.config)
    own = f"{uuid.uuid4().hex}."
    Tables(raw, replace(stack.config, table_prefix=own), TABLES).create_missing()

    assert described(raw, stack.config.table_prefix) == described(raw, own)


def test_the_service_starts_on_the_stacks_tables_and_only_looks(stack):
    raw = connect(stack.config)
    calls = []
    raw.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

    Tables(raw, stack.config, TABLES).prepare()

    assert calls == ["DescribeTable", "DescribeTable"]


def test_the_tables_are_kept_protected_and_can_be_restored(template):
    kept = {name: each for name, each in template["Resources"].items() if name != "Policy"}

    assert kept.keys() == {table.name for table in TABLES}
    for name, table in kept.items():
        properties = table["Properties"]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert properties["DeletionProtectionEnabled"] is True
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        expires = {"AttributeName": USERS.ttl_attribute, "Enabled": True}
        assert properties.get("TimeToLiveSpecification") == (expires if name == "Users" else None)


@pytest.mark.parametrize("prefix", ["", "a", "Z9_.-", "a" * 64, "a" * 65, "a b", "ä", "a/b", "a\n"])
def test_the_template_takes_the_prefixes_that_the_service_takes(template, prefix):
    try:
        taken = Config.from_env({"TABLE_PREFIX": prefix}).table_prefix == prefix
    except StartError:
        taken = False

    pattern = template["Parameters"]["TablePrefix"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, prefix)) is taken


def everything(api: Api, elsewhere: Api) -> None:
    """A life on the service, through all that it keeps; `elsewhere` is another process."""
    ann = api.register("ann")
    name = {"username": ann.username}
    assert codes(api.graphql(LOGIN, input={**name, "password": "wrong"})) == ["UNAUTHENTICATED"]
    api.graphql(LOGIN, input={**name, "password": PASSWORD})
    login = api.client.post("/auth/login", json={**name, "password": PASSWORD}).json
    api.client.post("/auth/refresh", json={"refresh_token": login["refresh_token"]})
    ann = Person(elsewhere, ann.username, ann.id, login["token"])

    task = ann.create(title="One", dueAt="2030-01-01T00:00:00Z")
    for _ in range(2):
        again = ann.create(title="Two", idempotencyKey="the same")
    changed = ann.graphql(UPDATE, input={"id": task["id"], "title": "Three"})["data"]
    assert changed["updateTask"]["task"]["version"] == 2
    assert ann.task(again["id"])["title"] == "Two"
    both = "query ($a: ID!, $b: ID!) { a: task(id: $a) { title } b: task(id: $b) { title } }"
    assert ann.graphql(both, a=task["id"], b=again["id"])["data"]["a"] == {"title": "Three"}
    blockers = {"json": {"blocker_ids": [task["id"]]}}
    assert ann.rest("POST", f"/api/v1/tasks/{again['id']}/blockers", **blockers).status_code == 200
    assert ann.rest("PUT", "/api/v1/settings", json={"timezone": "Asia/Tokyo"}).status_code == 200
    due = {"field": "DUE_AT", "direction": "ASC"}
    for order in (due, None):
        assert ann.graphql(TASKS, orderBy=order)["data"]["tasks"]["totalCount"] == 2
    assert len(ann.graphql("{ viewer { sessions { id } } }")["data"]["viewer"]["sessions"]) == 3

    ann.graphql(DELETE, input={"id": again["id"]})
    ann.graphql(UPDATE, input={"id": task["id"], "status": "COMPLETED"})
    assert codes(ann.graphql(TASK, id=again["id"])) == ["NOT_FOUND"]
    assert ann.rest("POST", "/auth/logout").status_code == 200
    login = api.client.post("/auth/login", json={**name, "password": PASSWORD}).json
    ann.token = login["token"]
    passwords = {"current_password": PASSWORD, "new_password": "another battery"}
    ann.token = ann.rest("POST", "/auth/password", json=passwords).json["token"]
    gone = ann.rest("DELETE", "/auth/account", json={"password": "another battery"})
    assert gone.json["message"] == "Account deleted successfully"


def test_a_life_on_the_stacks_tables_takes_exactly_what_the_policy_allows(stack, monkeypatch):
    alarms = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: alarms.append(timer))  # noqa: PLW0108 - a built-in would not be bound
    monkeypatch.setattr(deletions, "SECOND_PASS_DELAY", timedelta())
    apps = [create_app(stack.config) for _ in range(2)]
    raw = connect(stack.config)
    seen = set()
    raw.meta.events.register(
        "provide-client-params.dynamodb",
        lambda model, params, **_: seen.update(used(model.name, params)),
    )
    for app in apps:
        app.extensions["database"].on_call = lambda call: seen.update(
            used(call.operation, call.arguments)
        )
    Tables(raw, stack.config, TABLES).prepare()

    everything(*(Api(app.test_client()) for app in apps))
    for alarm in alarms:  # here, since moto is gone when they would ring
        alarm.function()

    assert seen == stack.allowed()


def test_no_operation_is_in_the_code_that_the_policy_does_not_know(stack):
    source = ast.parse((ROOT / "graphql_api" / "infra" / "dynamodb" / "database.py").read_text())
    called = {
        node.args[0].value
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "call"
        and isinstance(node.args[0], ast.Constant)
    }

    known = {action for action, _ in stack.allowed()}

    parts = set(PARTS.values()) if "TransactWriteItems" in called else set()
    # DescribeTable is what Tables.prepare does; Scan is for `migrate`, whose operator has rights
    # of her own.
    assert (called - {"TransactWriteItems", "Scan"}) | parts == known - {"DescribeTable"}
