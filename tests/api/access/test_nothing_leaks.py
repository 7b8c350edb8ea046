"""Whatever there is in the schema and the routes, a confined token is told nothing that is hidden.

The table is the schema itself: who adds a field has it tested. Each answer is the same before there
is anything to hide and after, and no text or id of what is hidden is in it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Api, Person, bearer
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from tokens import by_token

from graphql_api import clock, create_app
from graphql_api.api.rest.routes import ROUTES
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.live import LiveFeed
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.infra.serving.streams import STREAM

pytestmark = [pytest.mark.thorough, pytest.mark.engine_is_no_matter]

SCHEMA = build_schema((Path(__file__).parents[3] / "schema.graphql").read_text())
MARK = "Unseen"
NOW, FROM, TO = "2030-01-07T08:00:00Z", "2030-01-07T00:00:00Z", "2030-01-21T00:00:00Z"
GIVEN = {
    "from": FROM,
    "to": TO,
    "now": NOW,
    "first": 100,
    "rrule": "FREQ=DAILY",
    "dueAt": NOW,
    "startAt": NOW,
    "minutes": 5,
}
BY_TYPE = {"String": "x", "DateTime": NOW, "Date": "2030-01-08", "Int": 1, "Boolean": True}
VOLATILE = re.compile(
    r'"((end|start|next)_?[cC]ursor|cursor|changesCursor|score|value|asOf)": ?[^,}]+'
    r'|It is due in [^"]+'
)
WRITE = "mutation ($input: %s!) { %s(input: $input) { %s } }"
ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20300101T000000Z\r\n"
    f"DTSTART:20310107T080000Z\r\nDTEND:20310107T090000Z\r\nSUMMARY:{MARK}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


class World:
    """Somebody's tasks, of which a token sees those with a tag in a project, and all the rest."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.home = self.made("createProject", "CreateProjectInput", "project", name="Home")
        inside = {"tags": ["home"], "projectId": self.home, "durationMinutes": 30}
        self.seen = [
            person.create(title="Seen", **inside)["id"],
            person.create(title="Seen, too", dueAt="2030-01-08T00:00:00Z", **inside)["id"],
        ]
        self.schedule(tags=["home"], projectIds=[self.home])
        self.token = by_token(person, tags=["home"], projectIds=[self.home])
        self.hidden: list[str] = []

    def made(self, field: str, type_: str, of: str, **given) -> str:
        answer = self.person.graphql(WRITE % (type_, field, f"{of} {{ id }}"), input=given)
        assert "errors" not in answer, answer
        return answer["data"][field][of]["id"]

    def schedule(self, **given) -> None:
        """Have hours for what has these tags, or is in these projects."""
        hours = [{"day": "MONDAY", "intervals": [{"start": "08:00", "end": "18:00"}]}]
        settings = {"schedules": [{"name": "deep", "workingHours": hours, **given}]}
        answer = self.person.graphql(
            WRITE % ("UpdateSettingsInput", "updateSettings", "settings { timezone }"),
            input=settings,
        )
        assert "errors" not in answer, answer

    def hide(self) -> None:
        """Fill every other place where there may be something to see."""
        create = self.person.create
        project = self.made(
            "createProject", "CreateProjectInput", "project", name=f"{MARK} project"
        )
        self.schedule(tags=["home", MARK], projectIds=[self.home, project])
        text = {"title": MARK, "description": MARK, "durationMinutes": 60}
        parent = create(**text, tags=[MARK], projectId=project, dueAt="2030-01-07T12:00:00Z")
        child = create(**text, parentId=parent["id"])
        untagged = create(**text, projectId=self.home, dueOn="2030-01-07")
        elsewhere = create(**text, tags=["home"], blockedBy=[untagged["id"]])
        series = create(**text, dueAt=NOW, recurrence={"rrule": "FREQ=DAILY"})
        timed = create(**text)
        self.person.graphql(
            WRITE % ("StartTaskInput", "startTask", "task { id }"), input={"id": timed["id"]}
        )
        self.person.graphql(
            WRITE % ("CompleteTaskInput", "completeTask", "task { id }"), input={"id": series["id"]}
        )
        tasks = [each["id"] for each in (parent, child, untagged, elsewhere, series, timed)]
        self.tasks = tasks
        plan = "query ($input: PlanInput!) { planPreview(input: $input) { inputHash } }"
        preview = self.person.graphql(plan, input={"from": FROM, "taskIds": tasks[:1]})["data"]
        self.person.graphql(
            WRITE % ("PlanApplyInput", "planApply", "planId"),
            input={"from": FROM, "taskIds": tasks[:1], **preview["planPreview"]},
        )
        blocks = self.person.graphql(
            f'{{ plannedBlocks(from: "{FROM}", to: "{TO}") {{ id task {{ id }} }} }}'
        )["data"]["plannedBlocks"]
        assert blocks
        found = self.person.graphql(f'{{ task(id: "{series["id"]}") {{ series {{ id }} }} }}')
        changes = self.person.graphql("{ changes { nodes { id taskId } } }")["data"]["changes"][
            "nodes"
        ]
        others = [
            *(project, found["data"]["task"]["series"]["id"]),
            self.made("createView", "CreateViewInput", "view", name=MARK, filter={"search": MARK}),
            self.made(
                "createWebhook", "CreateWebhookInput", "webhook", url=f"https://{MARK}.example.com/"
            ),
            self.made(
                "addBusyCalendar", "AddBusyCalendarInput", "busyCalendar", name=MARK, ics=ICS
            ),
            self.made(
                "createCalendarFeed", "CreateCalendarFeedInput", "feed", name=MARK, content=["DUE"]
            ),
            blocks[0]["id"],
            next(each["id"] for each in changes if each["taskId"] == parent["id"]),
        ]
        self.kinds = [parent["id"], series["id"], *others]
        self.hidden = [*tasks, *others]

    @property
    def marks(self) -> list[str]:
        return [MARK, MARK.lower(), *self.hidden]

    def state(self) -> list[str]:
        """All that is hidden, as an export has it."""
        lines = self.person.rest("GET", "/api/v1/export").text.splitlines()
        return [line for line in lines if any(mark in line for mark in self.marks)]

    def check(self, answer: str, asked: str, given: str) -> None:
        """Find nothing hidden in an answer but what the question itself says."""
        assert [m for m in self.marks if m in answer and m not in given] == [], (asked, answer)


def values(type_, name: str, ids: list[str]):
    """A value for an argument, or a field of an input; ids are those that are tried."""
    nullable = get_nullable_type(type_)
    named = get_named_type(type_)
    if named.name == "ID":
        return ids if is_list_type(nullable) else ids[0]
    if is_list_type(nullable):
        return [values(nullable.of_type, name, ids)]
    if isinstance(named, GraphQLInputObjectType):
        return {
            key: values(field.type, key, ids)
            for key, field in named.fields.items()
            if is_non_null_type(field.type) or get_named_type(field.type).name == "ID"
        }
    return GIVEN.get(name, BY_TYPE.get(named.name) or next(iter(getattr(named, "values", "?"))))


def leaves(type_) -> str:
    """All of a type that takes neither arguments nor a selection."""
    names = [
        name
        for name, field in getattr(type_, "fields", {}).items()
        if is_leaf_type(get_named_type(field.type))
        and not any(is_non_null_type(arg.type) for arg in field.args.values())
    ]
    return " ".join(["__typename", *names])


def below(type_) -> Iterator[tuple[str, GraphQLField]]:
    """The fields of a type that take a selection, each with how it is selected."""
    fields = getattr(type_, "fields", {})
    for name, field in fields.items():
        if not is_leaf_type(get_named_type(field.type)):
            yield name, field
    if isinstance(type_, GraphQLInterfaceType):
        for each in SCHEMA.get_possible_types(type_):
            yield f"... on {each.name}", GraphQLField(each)


def selections(type_, depth: int, seen: set[tuple[str, str]]) -> Iterator[str]:
    """Selections that together go each way from a type once, down to a depth."""
    yield leaves(type_)
    for name, field in below(type_):
        needs_more = any(is_non_null_type(arg.type) for arg in field.args.values())
        if depth and not needs_more and (type_.name, name) not in seen:
            seen.add((type_.name, name))
            first = "(first: 3)" if "first" in field.args else ""
            for inner in selections(get_named_type(field.type), depth - 1, seen):
                yield f"{name}{first} {{ {inner} }}"


def takes_id(type_) -> bool:
    """Return whether an id is in values of a type."""
    named = get_named_type(type_)
    fields = named.fields.values() if isinstance(named, GraphQLInputObjectType) else ()
    return named.name == "ID" or any(get_named_type(each.type).name == "ID" for each in fields)


def operations(
    kind: str, root: GraphQLObjectType, ids: list[str], depth: int
) -> Iterator[tuple[str, dict]]:
    """Operations with each root field, and each id put to each argument that takes one."""
    for name, field in root.fields.items():
        given = {
            key: arg
            for key, arg in field.args.items()
            if is_non_null_type(arg.type) or key in GIVEN or takes_id(arg.type)
        }
        head = ", ".join(f"${key}: {arg.type}" for key, arg in given.items())
        put = ", ".join(f"{key}: ${key}" for key in given)
        again = ids if any(takes_id(arg.type) for arg in given.values()) else ids[:1]
        for selection in selections(get_named_type(field.type), depth, set()):
            select = f"{name}{put and f'({put})'} {{ {selection} }}"
            for each in again:
                variables = {key: values(arg.type, key, [each]) for key, arg in given.items()}
                yield f"{kind} {head and f'({head})'} {{ {select} }}", variables


def answers(world: World, asked: Iterable[tuple[str, dict]]) -> list[str]:
    """What the token is told, without what changes by itself."""
    found = []
    for text, variables in asked:
        answer = world.token.api.post(text, world.token.token, **variables).text
        assert "GRAPHQL_" not in answer, (text, answer)
        world.check(answer, text, json.dumps(variables))
        found.append(VOLATILE.sub("", answer))
    return found


@pytest.fixture(scope="module")
def world(app) -> World:
    return World(Api(app.test_client()).register("ann"))


class Tools:
    """The tools of agents, with the token."""

    def __init__(self, app, world: World) -> None:
        self.client, self.world = app.test_client(), world
        listed = self.send("tools/list", {})["tools"]
        self.schemas = {each["name"]: each["inputSchema"]["properties"] for each in listed}
        self.reading = [each["name"] for each in listed if each["annotations"]["readOnlyHint"]]

    def send(self, method: str, params: dict) -> dict:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.client.post("/mcp", json=body, headers=bearer(self.world.token.token))
        return answer.json["result"]

    def call(self, name: str, each: str | None = None) -> str:
        """What a tool tells; one of these ids is put to each argument that takes one."""
        arguments = dict(self.arguments(name, each))
        answer = json.dumps(self.send("tools/call", {"name": name, "arguments": arguments}))
        self.world.check(answer, name, json.dumps(arguments))
        return answer

    def arguments(self, name: str, each: str | None) -> Iterator[tuple[str, Any]]:
        for key, schema in self.schemas[name].items():
            if key in {"from", "title", "text"}:
                yield key, GIVEN.get(key, "Tried")
            elif each and re.search(r"(^|_)ids?$|blocked_by|input_hash", key):
                yield key, [each] if schema["type"] == "array" else each

    def told(self) -> list[str]:
        """What those that read tell of their own accord, without what changes by itself."""
        return [
            VOLATILE.sub("", json.dumps(self.send("tools/call", params)["structuredContent"]))
            for name in self.reading
            for params in [{"name": name, "arguments": dict(self.arguments(name, None))}]
        ]


@pytest.fixture(scope="module")
def tools(engine, world) -> Tools:
    return Tools(create_app(replace(engine, mcp=True)), world)


@pytest.fixture(scope="module")
def told_by_tools(tools) -> list[str]:
    """What the tools tell as long as there is nothing else."""
    return tools.told()


@pytest.fixture(scope="module")
def asked(world) -> list[tuple[str, dict]]:
    """Queries that go each way from each root field."""
    return list(operations("query", SCHEMA.query_type, [world.seen[1], world.home], depth=3))


@pytest.fixture(scope="module")
def before(world, asked, told_by_tools) -> list[str]:  # noqa: ARG001 - asked before
    """What the token is told as long as there is nothing else."""
    told = answers(world, asked)
    world.hide()
    return told


def test_answers_are_as_if_nothing_were_hidden(world, asked, before):
    after = answers(world, asked)

    told = zip(asked, before, after, strict=True)
    assert [each for each in told if each[1] != each[2]] == []
    for name in SCHEMA.query_type.fields:
        ways = [
            answer for (text, _), answer in zip(asked, before, strict=True) if f"{{ {name}" in text
        ]
        assert not all("QUERY_TOO_COMPLEX" in answer for answer in ways), name


@pytest.mark.usefixtures("before")
def test_nothing_is_found_by_ids_of_what_is_hidden(world):
    answers(world, operations("query", SCHEMA.query_type, world.kinds, depth=0))


@pytest.mark.usefixtures("before")
def test_nothing_that_is_hidden_is_changed(world):
    state = world.state()
    assert len(state) > len(world.tasks)
    answers(world, operations("mutation", SCHEMA.mutation_type, world.kinds, depth=1))

    assert world.state() == state


@pytest.mark.usefixtures("before")
def test_no_route_shows_what_is_hidden(world):
    for route in ROUTES:
        if "GET" in route.methods:
            has_id = "{" in route.path or "<" in route.path
            for each in world.kinds if has_id else [""]:
                path = re.sub(r"[{<][^}>]*[}>]", each, route.path)
                query = {"from": FROM, "to": TO, "text": "x", "rrule": "FREQ=DAILY"}
                for given in ({}, query):
                    answer = world.token.rest("GET", path, query_string=given)
                    world.check(answer.text, path, path)


@pytest.mark.usefixtures("before")
def test_no_route_changes_what_is_hidden(world):
    state = world.state()
    for route in ROUTES:
        for method in set(route.methods) - {"GET"} if route.tag != "Accounts" else ():
            for each in world.kinds if "<" in route.path else [world.kinds[0]]:
                path = re.sub(r"<[^>]*>", each, route.path)
                body = json.dumps(
                    {
                        key: [each] if key.endswith("_ids") else each if "_id" in key else value
                        for key, value in (route.example or {}).items()
                    }
                )
                answer = world.token.rest(method, path, data=body, content_type="application/json")
                world.check(answer.text, path, path + body)
    assert world.state() == state


@pytest.mark.usefixtures("before")
def test_no_tool_shows_or_changes_what_is_hidden(world, tools, told_by_tools):
    state = world.state()
    for name in tools.schemas:
        for each in (None, *world.kinds):
            tools.call(name, each)

    assert tools.told() == told_by_tools
    assert world.state() == state


EVENTS = "/api/v1/events"


def subscribed(world: World, monkeypatch, method: str, path: str, **options):
    """The subscription that a request of the token opens."""
    opened = []
    monkeypatch.setattr(LiveFeed, "subscribe", lambda _, each: opened.append(each))
    monkeypatch.setattr(LiveFeed, "unsubscribe", lambda *_: None)
    world.token.rest(method, path, environ_overrides={STREAM: True}, **options)
    [subscription] = opened
    return subscription


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("way", ["GraphQL", "REST"])
def test_no_event_tells_of_what_is_hidden(world, app, monkeypatch, way):
    fields = " ".join(dict.fromkeys(selections(SCHEMA.get_type("Change"), 2, set())))
    query = {"query": f"subscription {{ changes {{ {fields} }} }}"}
    asked = ("GET", EVENTS, {}) if way == "REST" else ("POST", "/graphql", {"json": query})
    method, path, more = asked
    accept = {"Accept": "text/event-stream"}
    subscription = subscribed(world, monkeypatch, method, path, headers=accept, **more)
    feed = Feed(ChangeStore(app.extensions["database"], timedelta(days=30)))
    now = clock.now()
    changes = feed.page(world.person.id, feed.start(now), 200, now).changes

    sent = [subscription.render(change, now).decode() for change in changes]

    assert len({change.task_id for change in changes} & {*world.hidden}) > 5
    assert {change.task_id for change in changes if f'"{change.task_id}"' in "".join(sent)} == {
        *world.seen
    }
    for event in sent:
        world.check(event, way, "")
