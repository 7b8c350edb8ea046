"""The template of the dispatcher allows what it does and nothing else."""

import subprocess
import time
import zipfile
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
import yaml
from conftest import Api
from engines import CONFIG
from moto import mock_aws
from service import ROOT
from test_cloudformation import CFN_LINT, Loader, used
from webhook_world import World, world

from graphql_api import aws_lambda, clock, create_app
from graphql_api.aws_lambda import create_dispatch_handler
from graphql_api.dispatcher import _project_duty
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.projects.model import Project, ProjectDeletion, TaskFate
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.store import SHARDS, TimerStore
from graphql_api.domain.reminders.timers import Timer
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import ServiceUnavailable, StartError
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables

TEMPLATE = ROOT / "deploy" / "dispatcher.yaml"
PREFIX = "dispatched."
ENVIRON = {"JWT_SECRET": CONFIG.jwt_secret.decode(), "TABLE_PREFIX": PREFIX}
DELETE_WEBHOOK = "mutation ($id: ID!) { deleteWebhook(input: {id: $id}) { deletedWebhookId } }"


@pytest.fixture(scope="module")
def config():
    with mock_aws():
        config = replace(CONFIG, dynamodb="aws", table_prefix=PREFIX)
        Tables(connect(config), config, TABLES).create_missing()
        yield config


@pytest.fixture(scope="module")
def template():
    return yaml.load(TEMPLATE.read_text(), Loader)  # noqa: S506 - a SafeLoader


def allowed(template):
    """The policy: each action, and the table that it is allowed on."""
    [policy] = template["Resources"]["Role"]["Properties"]["Policies"]
    return {
        (action.removeprefix("dynamodb:"), statement["Resource"].rpartition("}")[2])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }


def test_cfn_lint_has_nothing_to_say_of_the_dispatcher():
    found = subprocess.run(
        [CFN_LINT, "--include-checks", "I", "--", TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_handler_of_the_template_is_the_one_in_the_archive(template):
    module, _, name = template["Resources"]["Function"]["Properties"]["Handler"].partition(".")
    source = (ROOT / "deploy" / f"{module}.py").read_text()

    assert f"{name} = create_dispatch_handler(os.environ)" in source
    assert f"deploy/{module}.py" in (ROOT / "docs" / "operations.md").read_text()


def test_the_stack_makes_a_schedule_that_calls_the_function(tmp_path):
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("lambda_dispatch.py", "")
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="lambda.zip", Body=(tmp_path / "code.zip").read_bytes())
        boto3.client("secretsmanager", "us-east-1").create_secret(
            Name="jwt", SecretString=ENVIRON["JWT_SECRET"]
        )
        parameters = {"TablePrefix": PREFIX, "CodeBucket": "code", "JwtSecretName": "jwt"}
        boto3.client("cloudformation", "us-east-1").create_stack(
            StackName="dispatcher",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        [function] = boto3.client("lambda", "us-east-1").list_functions()["Functions"]
        events = boto3.client("events", "us-east-1")
        [rule] = events.list_rules()["Rules"]
        [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert target["Arn"] == function["FunctionArn"]
    assert function["Environment"]["Variables"].keys() == ENVIRON.keys()


def test_what_the_dispatcher_does_is_exactly_what_its_policy_allows(config, template):
    seen = set()

    def note(call):
        seen.update(used(call.operation, call.arguments))

    with world(config) as hooks:
        ann = hooks.api.register("ann")
        hooks.database.on_call = None
        for duty in (deliver, tell, end_deletions):
            duty(hooks, ann, note)
    raw = connect(config)
    raw.meta.events.register(
        "provide-client-params.dynamodb",
        lambda model, params, **_: seen.update(used(model.name, params)),
    )
    Tables(raw, config, TABLES).prepare()

    assert seen == {(action, PREFIX + table) for action, table in allowed(template)}


def deliver(hooks: World, ann, note) -> None:
    """Deliver to webhooks: what arrives, what does not, and what nobody wants any more."""
    webhook = hooks.create(ann)
    hooks.create(ann, "/ready", filter={"ready": True})
    tasks = [ann.create(title=f"{number}") for number in range(3)]
    hooks.receiver.answers[tasks[0]["id"]] = 500
    dispatching(hooks, note, hooks.dispatch)
    hooks.later(minutes=1)
    dispatching(hooks, note, hooks.dispatch)
    ann.graphql(DELETE_WEBHOOK, id=webhook["id"])
    dispatching(hooks, note, hooks.dispatch)
    assert len({message.id for message in hooks.receiver.messages}) == len(tasks)


def tell(hooks: World, ann, note) -> None:
    """Tell what is due: one alone, several together, what another one tells, and nothing."""
    store = TaskStore(hooks.database, ChangeStore(hooks.database, timedelta(days=30)))
    timers = TimerStore(hooks.database)
    due, late = (clock.now() + timedelta(hours=hours) for hours in (1, 2))
    duty = TimerDuty(timers, store, 1, lambda: late)
    for number in range(3 * SHARDS):
        ann.create(title=f"{number}", dueAt=clock.text(due))
    idle = Timer(due, ann.id, "gone", "a change")
    hooks.database.transact(timers._put(idle))
    page = max((page for shard in range(SHARDS) for page in timers.due(shard, late)), key=len)
    [group] = duty._groups([timer for timer in page if timer != idle])

    def tell_all():
        duty._tell(next(duty._groups([group[0].timers[0]])))
        duty._tell(group)
        duty.run(late)

    dispatching(hooks, note, tell_all)
    assert not any(page for shard in range(SHARDS) for page in timers.due(shard, late))


def end_deletions(hooks: World, ann, note) -> None:
    """Go on with deletions of projects: tasks that go, that are moved, and that cannot be."""
    there = ProjectStore(hooks.database)
    source, target, kept = (Project.new(ann.id, {"name": "x"}, clock.now()) for _ in range(3))
    changes = ChangeStore(hooks.database, timedelta(days=30))
    tasks = TaskStore(hooks.database, changes)
    duty = _project_duty(hooks.database, changes, tasks, 1)
    for each in (source, target, kept):
        there.add(each)
        ann.create(title="x", dueAt="2040-01-01T00:00:00Z", projectId=each.project_id)
    for each, fate, to in (
        (source, TaskFate.MOVE, target.project_id),
        (kept, TaskFate.DELETE, None),
    ):
        wish = ProjectDeletion(tasks=fate, move_to=to, actor=SYSTEM)
        after = each.delete(wish, clock.now())
        there.begin_deletion(each, after, duty.begin(after, clock.now() - timedelta(minutes=1)))
    dispatching(hooks, note, lambda: duty.run(clock.now()))
    assert [project.project_id for project in there.all(ann.id)] == [target.project_id]


def dispatching(hooks, note, act):
    hooks.database.on_call = note
    act()
    hooks.database.on_call = None


class Context:
    """What Lambda tells a function of itself."""

    def get_remaining_time_in_millis(self):
        return 12_000


def test_the_function_tells_what_is_due(config, monkeypatch):
    monkeypatch.setattr(aws_lambda, "DISPATCH_SECONDS", 0.0)
    handler = create_dispatch_handler(ENVIRON)
    ann = Api(create_app(config).test_client()).register("ann")
    ann.create(title="x", dueAt=clock.text(clock.now() + timedelta(milliseconds=300)))
    time.sleep(0.3)  # at least, which is what it has to be

    assert handler({"source": "aws.events"}, Context()) == {}

    nodes = ann.graphql("{ changes { nodes { kind } } }")["data"]["changes"]["nodes"]
    assert [node["kind"] for node in nodes] == ["TASK_CREATED", "TASK_DUE", "TASK_OVERDUE"]


@pytest.mark.usefixtures("config")
def test_a_function_that_could_not_do_all_says_so(monkeypatch):
    def unavailable(*_):
        raise ServiceUnavailable

    monkeypatch.setattr(TimerDuty, "run", unavailable)
    handler = create_dispatch_handler(ENVIRON)

    with pytest.raises(RuntimeError, match="Not everything that is due"):
        handler({}, Context())


def test_the_embedded_engine_cannot_be_used_on_lambda():
    with pytest.raises(StartError, match="DYNAMODB=embedded cannot be used on Lambda"):
        create_dispatch_handler({"DYNAMODB": "embedded"})
