"""MCP: tools for agents at /mcp, in both eras of the protocol, for access tokens only."""

import json
from dataclasses import replace

import pytest
from conftest import Api, Person, bearer
from tokens import access_token

from graphql_api import create_app

MODERN, LEGACY = "2026-07-28", "2025-11-25"
PREFIX = "io.modelcontextprotocol/"
TOOLS = {
    *("what_now", "find_tasks", "add_task", "change_task", "complete_task", "reschedule"),
    *("preview_plan", "apply_plan", "changes_since", "undo", "list_projects", "quick_add"),
}

PLAN_FROM = "2030-01-07T08:00:00Z"
CHANGES = "{ changes { nodes { id } } }"
EVERYTHING = """{
  changes { nodes { id } }
  tasks { nodes { id title status version dueAt dueOn plannedStart subtasks { id } } }
}"""


@pytest.fixture(scope="module")
def mcp_app(app, engine):  # noqa: ARG001 - whose limits are those of tests
    return create_app(replace(engine, mcp=True))


class Agent:
    """A program of a user's that calls tools."""

    def __init__(self, app, person: Person, era: str = MODERN, **token) -> None:
        self.client, self.person, self.era = app.test_client(), person, era
        self.token = access_token(person, **token)

    def send(self, method: str, params: dict | None = None, headers: dict | None = None, **more):
        params = dict(params or {})
        sent = {**bearer(self.token), "MCP-Protocol-Version": self.era}
        if self.era == MODERN:
            params["_meta"] = {
                f"{PREFIX}protocolVersion": MODERN,
                f"{PREFIX}clientCapabilities": {},
            }
            sent |= {"Mcp-Method": method}
            if "name" in params:
                sent["Mcp-Name"] = params["name"]
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **more}
        return self.client.post("/mcp", json=body, headers={**sent, **(headers or {})})

    def call(self, tool: str, **arguments) -> dict:
        """The result of a tool, or the description of its error."""
        result = self.send("tools/call", {"name": tool, "arguments": arguments}).json["result"]
        [text] = result["content"]
        if tool != "what_now" or result.get("isError"):
            assert json.loads(text["text"]) == result["structuredContent"]
        self.failed = result.get("isError", False)
        return result["structuredContent"]


@pytest.fixture
def agent(mcp_app, ann) -> Agent:
    return Agent(mcp_app, Person(Api(mcp_app.test_client()), ann.username, ann.id, ann.token))


def test_it_is_off_unless_it_is_switched_on(api):
    assert api.client.post("/mcp", json={}).status_code == 404
    assert api.client.get("/.well-known/oauth-protected-resource").status_code == 404


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_a_dozen_tools_are_listed_in_few_bytes(agent, era):
    agent.era = era
    answer = agent.send("tools/list")
    result = answer.json["result"]

    assert {tool["name"] for tool in result["tools"]} == TOOLS
    assert len(answer.data) < 6_000
    assert all("readOnlyHint" in tool["annotations"] for tool in result["tools"])
    assert ("resultType" in result, "ttlMs" in result) == (era == MODERN, era == MODERN)
    assert answer.status_code == 200


def test_annotations_are_honest(agent):
    tools = {
        each["name"]: each["annotations"]
        for each in agent.send("tools/list").json["result"]["tools"]
    }
    reading = {name for name, hints in tools.items() if hints["readOnlyHint"]}

    assert reading == {"what_now", "find_tasks", "preview_plan", "changes_since", "list_projects"}
    assert not tools["add_task"]["destructiveHint"]
    assert tools["reschedule"]["destructiveHint"]
    assert {name for name, hints in tools.items() if "idempotentHint" in hints} == {
        *("change_task", "complete_task", "reschedule", "apply_plan", "undo")
    }
    before = agent.person.graphql(CHANGES)
    for name in reading - {"preview_plan"}:
        agent.call(name)
    agent.call("preview_plan", **{"from": "2030-01-07T08:00:00Z"})
    assert agent.person.graphql(CHANGES) == before


def test_discovery_and_initialization_say_what_there_is(agent):
    found = agent.send("server/discover").json["result"]
    agent.era = LEGACY
    begun = agent.send("initialize", {"protocolVersion": "2025-06-18"}).json["result"]
    other = agent.send("initialize", {"protocolVersion": "1999-01-01"}).json["result"]

    assert found["supportedVersions"][:2] == [MODERN, LEGACY]
    assert (found["resultType"], found["cacheScope"]) == ("complete", "public")
    assert found["_meta"][f"{PREFIX}serverInfo"]["name"] == "smart-task-scheduler"
    assert (begun["protocolVersion"], other["protocolVersion"]) == ("2025-06-18", LEGACY)
    assert "Mcp-Session-Id" not in agent.send("ping").headers
    assert agent.client.get("/mcp", headers=bearer(agent.token)).status_code == 405


def test_a_notification_is_accepted_and_not_answered(agent):
    agent.era = LEGACY
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = agent.client.post("/mcp", json=body, headers=bearer(agent.token))

    assert (answer.status_code, answer.data) == (202, b"")


def test_a_job_of_a_dozen_calls(agent):
    home = agent.person.graphql(
        'mutation { createProject(input: {name: "Home"}) { project { id } } }'
    )["data"]["createProject"]["project"]["id"]
    [project] = agent.call("list_projects")["items"]
    task = agent.call("add_task", title="Water plants", project_id=home, priority="high")
    line = agent.call("quick_add", text="Pay rent tomorrow 17:00 #home !urgent ~30m")
    now = agent.call("what_now", minutes=60)
    changed = agent.call("change_task", id=task["id"], expected_version=1, add_tags=["garden"])
    moved = agent.call("reschedule", id=task["id"], due_on="2030-01-08", expected_weekday="tuesday")
    found = agent.call("find_tasks", search="plants", status=["pending"], limit=1)["items"]
    done = agent.call("complete_task", id=line["id"])
    changes = agent.call("changes_since")["nodes"]
    restored = agent.call("undo", change_id=changes[-1]["id"])

    assert project == {"id": home, "name": "Home", "open_count": 0}
    titles = {each["task"]["title"] for each in (now, *now["alternatives"])}
    assert titles == {"Water plants", "Pay rent"}
    assert (changed["tags"], changed["version"], moved["due_on"]) == (["garden"], 2, "2030-01-08")
    assert (found[0]["version"], done["status"]) == (3, "completed")
    assert (changes[-1]["kind"], changes[-1]["actor"]["name"]) == ("task_completed", "a script")
    assert (restored["status"], restored["priority"]) == ("pending", "urgent")


def test_what_to_do_now_takes_few_bytes(agent):
    for number in range(9):
        agent.call("add_task", title=f"Task number {number}", priority="high", tags=["a", "b"])
    answer = agent.send("tools/call", {"name": "what_now", "arguments": {}})

    assert len(answer.json["result"]["structuredContent"]["alternatives"]) == 2
    [text] = answer.json["result"]["content"]
    task = answer.json["result"]["structuredContent"]["task"]
    assert text["text"].startswith(f"{task['title']} ({task['id']}, version 1). ")
    assert text["text"].count(" Or: Task number ") == 2
    assert len(answer.data) < 1_000


def planned(agent) -> dict:
    """A plan of what there is, which an agent may apply."""
    previewed = agent.call("preview_plan", **{"from": PLAN_FROM})
    return {"from": PLAN_FROM, "input_hash": previewed["input_hash"]}


def writes(agent) -> dict[str, dict]:
    """Each tool that writes, with arguments, once there is something to write."""
    first, daily = (
        agent.person.create(title=title, durationMinutes=30, dueOn="2030-01-08", **more)
        for title, more in (("First", {}), ("Daily", {"recurrence": {"rrule": "FREQ=DAILY"}}))
    )
    agent.person.create(title="Below", parentId=daily["id"])
    agent.call("change_task", id=first["id"], priority="high")
    last = agent.call("changes_since")["nodes"][-1]["id"]
    return {
        "apply_plan": planned(agent),
        "add_task": {"title": "New", "due_on": "2030-01-08", "expected_weekday": "tuesday"},
        "quick_add": {"text": "Pay rent 8 January 2030", "expected_weekday": "tuesday"},
        "undo": {"change_id": last, "expected_version": 3},
        "change_task": {"id": first["id"], "title": "Other"},
        "reschedule": {"id": first["id"], "due_on": "2030-01-09"},
        "complete_task": {"id": daily["id"], "force": True},
    }


def test_each_write_takes_a_key_and_a_rehearsal(agent):
    tools = agent.send("tools/list").json["result"]["tools"]
    writing = {each["name"]: each for each in tools if not each["annotations"]["readOnlyHint"]}
    taken = {name: each["inputSchema"]["properties"].keys() for name, each in writing.items()}

    assert len(taken) == 7
    assert all(names >= {"idempotency_key", "dry_run"} for names in taken.values())
    assert {name for name, names in taken.items() if "expected_version" in names} == {
        *("change_task", "reschedule", "complete_task", "undo")
    }
    assert {name for name, names in taken.items() if "expected_weekday" in names} == {
        *("add_task", "reschedule", "quick_add")
    }


def test_each_write_is_done_once_for_one_key_and_refused_for_another_content(agent):
    for tool, arguments in writes(agent).items():
        first = agent.call(tool, **arguments, idempotency_key=tool)
        assert not agent.failed, first
        before = agent.person.graphql(CHANGES)
        assert agent.call(tool, **arguments, idempotency_key=tool) == first
        assert agent.person.graphql(CHANGES) == before
        error = agent.call("add_task", title="Else", idempotency_key=tool)
        assert (error["code"], error["field"]) == ("CONFLICT", "idempotency_key")
        assert error["next"].startswith("Take another key")
    again = agent.call("reschedule", id="x", due_on="2030-01-09", idempotency_key="reschedule")
    assert (again["code"], again["field"]) == ("CONFLICT", "idempotency_key")


READS = {"GetItem", "BatchGetItem", "Query", "UpdateItem"}  # the last one notes a token's use


def test_a_rehearsal_of_each_write_shows_the_result_and_writes_nothing(mcp_app, agent):
    calls, events = [], mcp_app.extensions["database"].client.meta.events
    events.register_first("before-send.dynamodb", lambda event_name, **_: calls.append(event_name))
    for tool, arguments in writes(agent).items():
        before = agent.person.graphql(EVERYTHING)
        calls.clear()
        rehearsed = agent.call(tool, **arguments, idempotency_key=tool, dry_run=True)
        assert calls
        assert {name.rpartition(".")[2] for name in calls} <= READS, tool
        assert rehearsed.pop("dry_run"), rehearsed
        assert agent.person.graphql(EVERYTHING) == before
        done = agent.call(tool, **arguments, idempotency_key=tool)
        for ids in (rehearsed, done, rehearsed.get("next", {}), done.get("next", {})):
            ids.pop("id", None)
        assert rehearsed == done, tool


def test_a_plan_is_undone_change_by_change_as_an_agent_has_made_it(agent):
    task = agent.call("add_task", title="x", duration_minutes=30)
    applied = agent.call("apply_plan", **planned(agent))
    change = agent.call("changes_since")["nodes"][-1]
    stale = agent.call("undo", change_id=change["id"], expected_version=1)
    agent.call("undo", change_id=change["id"], expected_version=2)

    assert applied["applied"] == [task["id"]]
    assert (stale["code"], stale["current_version"]) == ("CONFLICT", 2)
    assert agent.person.task(task["id"])["plannedStart"] is None


def test_a_rehearsal_follows_the_rules(agent):
    task = agent.call("add_task", title="Kept")
    agent.call("add_task", title=" ", dry_run=True)
    assert agent.failed
    stale = agent.call("change_task", id=task["id"], title="x", expected_version=9, dry_run=True)
    assert (stale["code"], stale["current_version"]) == ("CONFLICT", 1)
    assert [each["title"] for each in agent.call("find_tasks")["items"]] == ["Kept"]


def test_a_line_whose_day_is_another_weekday_is_refused_with_the_right_date(agent):
    error = agent.call("quick_add", text="Pay rent 8 January 2030", expected_weekday="monday")
    none = agent.call("quick_add", text="Pay rent", expected_weekday="monday")
    long = agent.call("quick_add", text="x" * 501, expected_weekday="monday")

    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "expected_weekday")
    assert "2030-01-07, the one after it 2030-01-14" in error["error"]
    assert (none["field"], long["field"]) == ("expected_weekday", "text")
    assert agent.call("find_tasks")["items"] == []


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("add_task", {"title": "x", "due_on": "2030-01-08"}), ("quick_add", {"text": "x 8 January"})],
)
def test_a_weekday_is_looked_at_for_nobody_who_lacks_the_scope(mcp_app, ann, tool, arguments):
    agent = Agent(mcp_app, ann, scopes=["TASKS_READ"])
    error = agent.call(tool, **arguments, expected_weekday="monday")

    assert agent.failed
    assert (error["code"], error["required_scope"]) == ("FORBIDDEN", "tasks_write")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"due_on": "2030-01-08", "expected_weekday": "monday"}, ("2030-01-07", "2030-01-14")),
        # 23:30 UTC on Tuesday is Wednesday in Berlin.
        (
            {"due_at": "2030-01-08T23:30:00Z", "expected_weekday": "tuesday"},
            ("2030-01-08", "2030-01-15"),
        ),
        ({"expected_weekday": "monday"}, ("goes with a due date",)),
        ({"due_on": "2030-01-08", "expected_weekday": "Tuesday"}, ("must be one of monday",)),
    ],
)
def test_a_wrong_weekday_is_refused_with_the_right_date(agent, given, told):
    agent.person.graphql(
        'mutation { updateSettings(input: {timezone: "Europe/Berlin"}) { settings { timezone } } }'
    )
    error = agent.call("add_task", title="x", **given)

    assert (agent.failed, error["code"], error["field"]) == (
        True,
        "BAD_USER_INPUT",
        "expected_weekday",
    )
    assert all(text in error["error"] for text in told)
    assert agent.call("find_tasks")["items"] == []


def test_a_task_with_open_subtasks_is_completed_as_its_refusal_says(agent):
    task = agent.call("add_task", title="Move")["id"]
    agent.person.create(title="Pack", parentId=task)

    error = agent.call("complete_task", id=task)
    change = agent.call("change_task", id=task, status="completed")

    assert (error["code"], error["field"], len(error["subtasks"])) == ("CONFLICT", "id", 1)
    what = "Ask the user; then call complete_task with children, complete or keep."
    assert (error["next"], change["field"], change["next"]) == (what, "status", what)
    done = agent.call("complete_task", id=task, children="complete")
    assert (agent.failed, done["status"]) == (False, "completed")


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "told"),
    [
        ("add_task", {}, "BAD_USER_INPUT", "title"),
        ("add_task", {"title": 3}, "BAD_USER_INPUT", "title"),
        ("add_task", {"title": "x", "colour": "red"}, "BAD_USER_INPUT", "colour"),
        ("add_task", {"title": "x", "priority": "huge"}, "BAD_USER_INPUT", "priority"),
        ("add_task", {"title": "x", "dry_run": "yes"}, "BAD_USER_INPUT", "dry_run"),
        ("complete_task", {"id": "none"}, "NOT_FOUND", "find_tasks"),
        ("find_tasks", {"limit": 1_000}, "BAD_USER_INPUT", "limit"),
        ("find_tasks", {"cursor": "x"}, "BAD_USER_INPUT", "cursor"),
        ("quick_add", {"text": "x" * 501}, "BAD_USER_INPUT", "text"),
        (
            "apply_plan",
            {"from": "2030-01-07T08:00:00Z", "input_hash": "x"},
            "CONFLICT",
            "preview_plan",
        ),
    ],
)
def test_wrong_arguments_are_a_result_that_says_what_to_do_next(agent, tool, arguments, code, told):
    error = agent.call(tool, **arguments)

    assert (agent.failed, error["code"]) == (True, code)
    assert told in json.dumps(error)
    assert error["next"]
    assert agent.call("find_tasks")["items"] == []


def test_a_completion_of_many_subtasks_and_its_undo_are_rehearsed(agent):
    create = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
    top = agent.call("add_task", title="Move")["id"]
    for number in range(30):
        agent.person.graphql(create, i={"title": f"Box {number}", "parentId": top})
    given = {"id": top, "children": "complete"}

    rehearsed = agent.call("complete_task", dry_run=True, **given)
    open_ones = len(agent.call("find_tasks", limit=100, status=["pending"])["items"])
    agent.call("complete_task", **given)
    completed = [
        each["id"]
        for each in agent.call("changes_since", limit=100)["nodes"]
        if (each["kind"], each["task_id"]) == ("task_completed", top)
    ]
    undone = agent.call("undo", change_id=completed[0], dry_run=True)

    assert (rehearsed["status"], open_ones) == ("completed", 31)
    assert undone["status"] == "pending"
    assert agent.call("find_tasks", limit=100, status=["pending"])["items"] == []
    assert agent.call("undo", change_id=completed[0])["status"] == "pending"
    assert len(agent.call("find_tasks", limit=100, status=["pending"])["items"]) == 31


def test_an_undo_that_a_changed_subtask_refuses_says_what_would_do(agent):
    create = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
    top = agent.call("add_task", title="Move")["id"]
    made = agent.person.graphql(create, i={"title": "Pack", "parentId": top})
    below = made["data"]["createTask"]["task"]["id"]
    agent.call("complete_task", id=top, children="complete")
    changes = agent.call("changes_since", limit=100)["nodes"]
    completed = {
        each["task_id"]: each["id"] for each in changes if each["kind"] == "task_completed"
    }
    agent.call("change_task", id=below, status="in_progress")

    refused = agent.call("undo", change_id=completed[top])
    reopened = agent.call("change_task", id=top, status="pending")

    assert (refused["code"], refused["changed_task_ids"]) == ("CONFLICT", [below])
    assert refused["next"] == (
        "Read them with find_tasks(ids), and ask the user; then reopen the task, and those below it"
        " that are to be open, with change_task."
    )
    assert reopened["status"] == "pending"


def test_a_completion_is_rehearsed_though_a_subtask_blocks_its_own_parent(agent):
    create = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
    block = "mutation ($i: BlockersInput!) { addBlockers(input: $i) { task { id } } }"
    top, other = (agent.call("add_task", title=title)["id"] for title in ("Move", "Rent a car"))
    made = agent.person.graphql(create, i={"title": "Pack", "parentId": top})
    below = made["data"]["createTask"]["task"]["id"]
    agent.person.graphql(block, i={"taskId": top, "blockerIds": [below]})
    given = {"id": top, "children": "complete", "dry_run": True}

    rehearsed = agent.call("complete_task", **given)
    agent.person.graphql(block, i={"taskId": top, "blockerIds": [other]})
    refused = agent.call("complete_task", **given)

    assert rehearsed["status"] == "completed"
    assert (refused["code"], refused["blockers"]) == ("CONFLICT", [other])
    assert agent.call("find_tasks", limit=100, status=["completed"])["items"] == []


@pytest.mark.parametrize("tool", ["find_tasks", "changes_since", "list_projects"])
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("limit", 0, "limit must be from 1 to 100."), ("cursor", "x", "cursor is not a cursor of")],
)
def test_an_error_names_the_argument_of_the_tool_and_not_that_of_graphql(
    agent, tool, name, value, told
):
    error = agent.call(tool, **{name: value})

    assert (agent.failed, error["field"]) == (True, name)
    assert error["error"].startswith(told)


def test_a_token_does_by_tools_what_it_may_do_otherwise(mcp_app, agent):
    agent.call("add_task", title="Hidden", tags=["work"])
    reader = Agent(mcp_app, agent.person, scopes=["TASKS_READ"], tags=["home"])
    refused = reader.call("add_task", title="x", tags=["home"])
    assert (refused["code"], refused["required_scope"]) == ("FORBIDDEN", "tasks_write")
    assert reader.call("find_tasks")["items"] == []
    confined = Agent(mcp_app, agent.person, tags=["home"])
    assert "task" not in confined.call("what_now")
    outside = confined.call("add_task", title="x", dry_run=True)
    assert (outside["code"], outside["field"]) == ("FORBIDDEN", "tags")


def test_without_an_access_token_it_is_told_how_to_get_one(mcp_app, agent):
    client = mcp_app.test_client()
    for headers in ({}, bearer(agent.person.token), bearer("sts_x")):
        answer = client.post("/mcp", json={}, headers=headers)
        challenge = answer.headers["WWW-Authenticate"]
        assert answer.status_code == 401
        assert challenge.startswith("Bearer ")
        where = challenge.partition('resource_metadata="')[2].rstrip('"')
        assert where == "http://localhost/.well-known/oauth-protected-resource/mcp"
    metadata = client.get("/.well-known/oauth-protected-resource/mcp").json
    assert metadata["resource"] == "http://localhost/mcp"
    assert metadata["authorization_servers"] == []
    assert "createAccessToken" in metadata["how_to_get_a_token"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost:6274", 200),
        ("http://127.0.0.1:5000", 200),
    ],
)
def test_a_foreign_web_page_may_send_nothing(agent, origin, status):
    assert agent.send("ping", headers={"Origin": origin}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"MCP-Protocol-Version": "2099-01-01"}, 400, -32020),
        ({"Mcp-Method": "tools/call"}, 400, -32020),
    ],
)
def test_headers_that_say_something_else_are_refused(agent, headers, status, code):
    answer = agent.send("ping", headers=headers)

    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_an_unknown_version_is_told_which_there_are(agent):
    agent.era = LEGACY
    answer = agent.send("ping", headers={"MCP-Protocol-Version": "2099-01-01"})

    assert (answer.status_code, answer.json["error"]["code"]) == (400, -32022)
    assert answer.json["error"]["data"]["supported"][:2] == [MODERN, LEGACY]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", -32700),
        ("[]", -32600),
        ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
    ],
)
def test_what_is_no_message_gets_an_error_of_json_rpc(agent, body, code):
    headers = {**bearer(agent.token), "Content-Type": "application/json"}
    answer = agent.client.post("/mcp", data=body, headers=headers)

    assert (answer.status_code, answer.json["error"]["code"]) == (400, code)


def test_unknown_methods_and_tools_are_named(agent):
    unknown = agent.send("resources/list")
    no_tool = agent.send("tools/call", {"name": "rm"})
    no_arguments = agent.send("tools/call", {"name": "undo", "arguments": [1]})
    agent.era = LEGACY

    assert (unknown.status_code, unknown.json["error"]["code"]) == (404, -32601)
    assert (no_tool.status_code, no_tool.json["error"]["code"]) == (400, -32602)
    assert "what_now" in no_tool.json["error"]["message"]
    assert no_arguments.json["error"]["code"] == -32602
    assert agent.send("resources/list").status_code == 200  # else its clients take it for an end
