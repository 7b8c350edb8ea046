"""A token that is confined to some tasks finds nothing of the others, whichever way it takes."""

import pytest
from conftest import CREATE, DELETE, TASKS, UPDATE, Api, Person, codes
from tokens import by_token

MARK = "Hidden"
WRITE = "mutation ($input: %s!) { %s(input: $input) { %s } }"
PROJECT = WRITE % ("CreateProjectInput", "createProject", "project { id }")
BLOCK = WRITE % ("BlockersInput", "addBlockers", "task { id blockedBy { id } }")
COMPLETE = WRITE % ("CompleteTaskInput", "completeTask", "task { id } next { id }")
UNDO = WRITE % ("UndoChangeInput", "undoChange", "task { id }")
FROM = "2030-01-07T08:00:00Z"
DAILY = {"rrule": "FREQ=DAILY"}
CHANGES = "{ changes { nodes { id kind taskId fields task { title } } hasMore } }"
TASK = (
    "id title blockedBy { id title } blocks { id title } isReady project { name } urgency { score }"
)


class World:
    """Somebody's tasks, of which a token sees those with the tag `home` in a project."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.home = self.project("Home")
        self.other = self.project(f"{MARK} project")
        inside = {"tags": ["Home"], "projectId": self.home, "durationMinutes": 30}
        self.seen = person.create(title="Seen", **inside)
        self.also = person.create(title="Seen, too", dueAt="2030-01-08T00:00:00Z", **inside)
        self.untagged = person.create(title=f"{MARK} untagged", projectId=self.home)
        self.elsewhere = person.create(title=f"{MARK} elsewhere", tags=["home"])
        self.secret = person.create(
            title=f"{MARK} work",
            tags=[f"{MARK} tag"],
            projectId=self.other,
            durationMinutes=60,
            dueAt="2030-01-08T00:00:00Z",
        )
        self.hidden = [self.untagged, self.elsewhere, self.secret]
        self.series = person.create(
            title=f"{MARK} series", dueAt="2030-01-09T08:00:00Z", recurrence=DAILY
        )
        person.graphql(BLOCK, input={"taskId": self.seen["id"], "blockerIds": [self.secret["id"]]})
        person.graphql(BLOCK, input={"taskId": self.secret["id"], "blockerIds": [self.also["id"]]})
        gone = person.create(title=f"{MARK} and gone")
        person.graphql(DELETE, input={"id": gone["id"]})
        self.marks = [MARK, gone["id"], self.other, self.series["id"]]
        self.marks += [task["id"] for task in self.hidden]
        self.program = by_token(person, tags=["home"], projectIds=[self.home])

    def project(self, name: str) -> str:
        answer = self.person.graphql(PROJECT, input={"name": name})
        return answer["data"]["createProject"]["project"]["id"]

    def shows(self, query: str, **variables) -> dict:
        """What an operation answers the token, in which nothing hidden is."""
        answer = self.program.graphql(query, **variables)
        assert "errors" not in answer, answer
        self.check(str(answer))
        return answer["data"]

    def check(self, text: str) -> None:
        assert [mark for mark in self.marks if mark in text] == []


@pytest.fixture(scope="module")
def world(app) -> World:
    """A world to look at."""
    return World(Api(app.test_client()).register("ann"))


@pytest.fixture
def changing(ann) -> World:
    """A world to change."""
    return World(ann)


def titles(tasks: list[dict]) -> list[str]:
    return sorted(task["title"] for task in tasks)


@pytest.mark.parametrize("field", ["CREATED_AT", "DUE_AT", "URGENCY", "TITLE", "PRIORITY"])
def test_lists_in_every_order_have_only_what_is_seen(world, field):
    tasks = world.shows(TASKS, first=10, orderBy={"field": field, "direction": "ASC"})["tasks"]

    assert titles(tasks["nodes"]) == ["Seen", "Seen, too"]
    assert tasks["totalCount"] == 2
    assert not tasks["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(
    "filter",
    [
        {"noTags": True},
        {"search": MARK},
        {"or": [{"tags": [f"{MARK} tag"]}, {"noProject": True}]},
        {"not": {"tags": ["home"]}},
    ],
)
def test_no_filter_reaches_further(world, filter):
    tasks = world.shows("query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }", f=filter)

    assert tasks["tasks"]["totalCount"] == 0


def test_by_ids_only_what_is_seen_is_found(world):
    ids = [task["id"] for task in (*world.hidden, world.seen)]
    projects = [world.home, world.other]
    answer = world.program.graphql(
        "query ($ids: [ID!]!, $f: TaskFilter) {"
        " nodes(ids: $ids) { id } tasks(filter: $f) { nodes { id } totalCount } }",
        ids=[*ids, *projects],
        f={"ids": ids},
    )["data"]

    assert [each and each["id"] for each in answer["nodes"]] == [
        *(None, None, None, world.seen["id"], world.home, None)
    ]
    assert answer["tasks"] == {"nodes": [{"id": world.seen["id"]}], "totalCount": 1}


def test_one_task_is_not_found_like_one_that_is_not_there(world):
    for query in (
        "query ($id: ID!) { task(id: $id) { id } }",
        "query ($id: ID!) { node(id: $id) { id } }",
        "mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId } }",
        'mutation ($id: ID!) { updateTask(input: {id: $id, title: "x"}) { task { id } } }',
        "mutation ($id: ID!) { completeTask(input: {id: $id}) { task { id } } }",
        "mutation ($id: ID!) { skipOccurrence(input: {id: $id}) { task { id } } }",
    ):
        missing = world.program.graphql(query, id="none")
        for task in (*world.hidden, world.series):
            assert world.program.graphql(query, id=task["id"]) == missing
    for task in world.hidden:
        assert world.program.rest("GET", f"/api/v1/tasks/{task['id']}").status_code == 404
        assert world.person.task(task["id"])["version"] == task["version"]


def test_counts_and_tags_and_projects_are_of_what_is_seen(world):
    viewer = world.shows(
        "{ viewer { openCount overdueCount tags { name count } tasks { totalCount } }"
        " projects { totalCount nodes { name openCount } } }"
    )
    tasks = world.shows(f'{{ project(id: "{world.home}") {{ tasks {{ totalCount }} }} }}')

    assert viewer["viewer"] == {
        "openCount": 2,
        "overdueCount": 0,
        "tags": [{"name": "Home", "count": 2}],
        "tasks": {"totalCount": 2},
    }
    [project] = viewer["projects"]["nodes"]
    assert project == {"name": "Home", "openCount": 2}
    assert tasks["project"]["tasks"]["totalCount"] == 2
    assert codes(world.program.graphql(f'{{ project(id: "{world.other}") {{ id }} }}')) == [
        "NOT_FOUND"
    ]


def test_relations_end_where_the_view_ends(world):
    task = world.shows(f'{{ task(id: "{world.seen["id"]}") {{ {TASK} }} }}')["task"]

    assert (task["blockedBy"], task["blocks"], task["isReady"]) == ([], [], False)
    also = world.shows(f'{{ task(id: "{world.also["id"]}") {{ {TASK} }} }}')["task"]
    assert also["blocks"] == []


def test_errors_name_nothing_that_is_hidden(changing):
    blocked = changing.program.graphql(COMPLETE, input={"id": changing.seen["id"]})
    circle = {"taskId": changing.also["id"], "blockerIds": [changing.seen["id"]]}
    cycle = changing.program.graphql(BLOCK, input=circle)

    assert codes(blocked) == codes(cycle) == ["CONFLICT"]
    assert blocked["errors"][0]["extensions"]["blockers"] == []
    assert set(cycle["errors"][0]["extensions"]["cycle"]) == {
        changing.also["id"],
        changing.seen["id"],
    }
    changing.check(str((blocked, cycle)))
    released = changing.shows(
        "mutation ($id: ID!) { deleteTask(input: {id: $id}) { releasedTaskIds } }",
        id=changing.also["id"],
    )
    assert released == {"deleteTask": {"releasedTaskIds": []}}


def test_the_feed_tells_only_of_what_is_seen_or_was(changing):
    changing.person.graphql(UPDATE, input={"id": changing.also["id"], "tags": []})
    changing.person.graphql(UPDATE, input={"id": changing.also["id"], "title": f"{MARK} by now"})
    kinds = [
        (change["kind"], change["taskId"])
        for change in changing.program.graphql(CHANGES)["data"]["changes"]["nodes"]
    ]
    everything = changing.person.graphql(CHANGES)["data"]["changes"]["nodes"]

    assert kinds == [
        *(("TASK_CREATED", changing.seen["id"]), ("TASK_UPDATED", changing.seen["id"])),
        ("TASK_UPDATED", changing.also["id"]),  # by which it has left
    ]
    assert len(everything) > 9
    changing.check(str(changing.program.graphql(CHANGES)))


def test_a_seen_task_s_deletion_is_told_and_undone(changing):
    changing.program.graphql(DELETE, input={"id": changing.also["id"]})
    changes = changing.shows(CHANGES)["changes"]["nodes"]

    assert (changes[-1]["kind"], changes[-1]["taskId"]) == ("TASK_DELETED", changing.also["id"])
    assert changing.shows(UNDO, input={"changeId": changes[-1]["id"]})
    assert changing.person.task(changing.also["id"])["title"] == "Seen, too"


def test_nothing_hidden_is_undone(world):
    for change in world.person.graphql(CHANGES)["data"]["changes"]["nodes"]:
        if change["taskId"] not in {world.seen["id"], world.also["id"]}:
            answer = world.program.graphql(UNDO, input={"changeId": change["id"]})
            assert codes(answer) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "tags"),
        ({"tags": ["work"]}, "tags"),
        ({"tags": ["home"]}, "projectId"),
        ({"tags": ["home"], "idempotencyKey": "k"}, "projectId"),
    ],
)
def test_creating_outside_is_refused_and_says_what_would_do(world, given, field):
    answer = world.program.graphql(CREATE, input={"title": "x", **given})
    by_rest = world.program.rest("POST", "/api/v1/tasks", json={"title": "x"})
    [error] = answer["errors"]

    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("FORBIDDEN", field)
    assert "confined" in error["message"]
    assert (by_rest.status_code, by_rest.json["field"]) == (403, "tags")
    assert titles(world.person.graphql(TASKS)["data"]["tasks"]["nodes"]).count("x") == 0


def test_another_project_is_not_found_and_nothing_is_put_there(world):
    given = {"title": "x", "tags": ["home"], "projectId": world.other}

    assert codes(world.program.graphql(CREATE, input=given)) == ["NOT_FOUND"]
    tagged = by_token(world.person, tags=["home"])
    assert codes(tagged.graphql(CREATE, input=given)) == ["NOT_FOUND"]


@pytest.mark.parametrize("change", [{"tags": []}, {"projectId": None}, {"removeTags": ["HOME"]}])
def test_no_write_moves_a_task_out_of_sight(world, change):
    answer = world.program.graphql(UPDATE, input={"id": world.seen["id"], **change})

    assert codes(answer) == ["FORBIDDEN"]
    assert world.person.task(world.seen["id"])["version"] == 1


def test_what_is_within_is_written(changing):
    given = {"title": "Mine", "tags": ["HOME"], "projectId": changing.home, "recurrence": DAILY}
    task = changing.program.create(**given, dueAt="2030-02-01T08:00:00Z")
    done = changing.shows(COMPLETE, input={"id": task["id"]})["completeTask"]

    assert done["next"]["id"]
    assert changing.shows("{ tasks { totalCount } }")["tasks"]["totalCount"] == 4
    assert changing.shows(UPDATE, input={"id": changing.also["id"], "title": "Seen again"})


def test_a_plan_is_made_of_what_is_seen_alone(changing):
    query = f"""{{ planPreview(input: {{from: "{FROM}"}}) {{
      inputHash blocks {{ taskId title }} unplaced {{ taskId }} unestimated {{ title }} }} }}"""
    plan = changing.shows(query)["planPreview"]
    apply = WRITE % ("PlanApplyInput", "planApply", "planId applied unchanged conflicts")
    undo = WRITE % ("PlanUndoInput", "planUndo", "restored unchanged skipped")

    assert {block["title"] for block in plan["blocks"]} == {"Seen", "Seen, too"}
    whole = changing.person.graphql(query)["data"]["planPreview"]
    changing.person.graphql(apply, input={"from": FROM, "inputHash": whole["inputHash"]})
    answer = changing.shows(undo, input={"planId": whole["inputHash"]})["planUndo"]
    assert set(answer["restored"]) == {changing.seen["id"], changing.also["id"]}
    assert changing.person.task(changing.secret["id"])["plannedStart"] is not None


def test_what_is_planned_and_what_to_do_now_are_of_what_is_seen(changing):
    person, span = changing.person, 'from: "2030-01-07T00:00:00Z", to: "2030-01-21T00:00:00Z"'
    for task in (changing.seen, changing.secret):
        times = {"plannedStart": "2030-01-07T09:00:00Z", "plannedEnd": "2030-01-07T10:00:00Z"}
        person.graphql(UPDATE, input={"id": task["id"], **times})
    now = changing.shows("{ whatNow { task { title } alternatives { task { title } } } }")
    found = changing.shows(f"{{ plannedBlocks({span}) {{ id task {{ title }} }} }}")

    assert [block["task"]["title"] for block in found["plannedBlocks"]] == ["Seen"]
    assert now["whatNow"]["task"] is not None
    done = {"id": changing.secret["id"], "status": "COMPLETED"}
    person.graphql(UPDATE, input=done | {"plannedStart": None, "plannedEnd": None})
    person.graphql(UPDATE, input=done | times)
    changing.shows(f"{{ plannedBlocks({span}) {{ id task {{ title }} }} }}")


REFUSED = [
    "{ webhooks { id } }",
    'mutation { createWebhook(input: {url: "https://example.com"}) { secret } }',
    '{ series(id: "x") { id } }',
    'mutation { renameTag(input: {from: "a", to: "b"}) { changed } }',
    'mutation { createProject(input: {name: "x"}) { project { id } } }',
    'mutation { startTask(input: {id: "x"}) { task { id } } }',
    'mutation { endSeries(input: {id: "x"}) { series { id } } }',
    'mutation { updateSettings(input: {timezone: "UTC"}) { settings { timezone } } }',
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_could_tell_of_other_tasks_is_refused(ann, query):
    [error] = by_token(ann, tags=["home"]).graphql(query)["errors"]

    assert error["extensions"] == {"code": "FORBIDDEN", "confined": True}  # and no scope is lacking
    assert "use a token without tags and projects, or a session" in error["message"]


def test_one_that_lacks_a_scope_as_well_is_told_of_the_scope_first(ann):
    program = by_token(ann, scopes=["TASKS_READ"], tags=["home"])
    [error] = program.graphql('mutation { endSeries(input: {id: "x"}) { series { id } } }')[
        "errors"
    ]

    assert error["extensions"] == {"code": "FORBIDDEN", "requiredScope": "TASKS_WRITE"}


def test_schedules_name_no_tags_or_projects_of_others(changing):
    named = {
        "tags": ["HOME", f"{MARK} tag"],
        "projectIds": [changing.home, changing.other],
    }
    schedules = [{"name": "deep", "workingHours": [], **named}]
    written = WRITE % ("UpdateSettingsInput", "updateSettings", "settings { timezone }")
    assert "errors" not in changing.person.graphql(written, input={"schedules": schedules})

    shown = changing.shows("{ viewer { settings { schedules { name tags projectIds } } } }")
    by_rest = changing.program.rest("GET", "/api/v1/settings")
    of_all = changing.person.rest("GET", "/api/v1/settings").json["schedules"]

    own = {"name": "deep", "tags": ["HOME"], "projectIds": [changing.home]}
    assert shown["viewer"]["settings"]["schedules"] == [own]
    changing.check(by_rest.text)
    assert by_rest.json["schedules"][0]["project_ids"] == [changing.home]
    assert (of_all[0]["tags"], of_all[0]["project_ids"]) == (named["tags"], named["projectIds"])


def test_rest_shows_no_more(world):
    for path in (
        *("/api/v1/tasks", "/api/v1/tasks?limit=1", "/api/v1/tasks?sort=title"),
        *("/api/v1/changes", "/api/v1/projects", f"/api/v1/tasks/{world.seen['id']}/history"),
        *(f"/api/v1/tasks/{world.seen['id']}/blockers", "/auth/verify"),
        f"/api/v1/tasks/{world.seen['id']}/urgency",
    ):
        answer = world.program.rest("GET", path)
        assert answer.status_code == 200, path
        world.check(answer.text)


def test_trees_of_tasks_end_where_the_view_ends(changing):
    home = {"tags": ["home"], "projectId": changing.home}
    parent = changing.person.create(title="Parent", **home)
    child = changing.person.create(title=f"{MARK} child", parentId=parent["id"])
    own = changing.person.create(title="Own child", parentId=changing.secret["id"], **home)
    query = "query ($id: ID!) { task(id: $id) { parent { id } subtasks { title } } }"

    assert changing.shows(query, id=parent["id"])["task"] == {"parent": None, "subtasks": []}
    assert changing.shows(query, id=own["id"])["task"] == {"parent": None, "subtasks": []}
    for write, task in (
        ("deleteTask(input: {id: $id}) { deletedTaskId }", parent),
        ("completeTask(input: {id: $id}) { task { id } }", parent),
        ("updateTask(input: {id: $id, parentId: null}) { task { id } }", own),
        ("deleteTask(input: {id: $id}) { deletedTaskId }", own),
    ):
        answer = changing.program.graphql(f"mutation ($id: ID!) {{ {write} }}", id=task["id"])
        assert codes(answer) == ["FORBIDDEN"], write
    below = {"title": "x", "parentId": changing.secret["id"], **home}
    assert codes(changing.program.graphql(CREATE, input=below)) == ["NOT_FOUND"]
    assert changing.person.task(child["id"])["version"] == 1
    assert changing.person.task(own["id"])["parentId"] == changing.secret["id"]


def test_no_cycle_is_closed_through_what_is_hidden_and_no_tree_grows_too_deep(ann):
    top = ann.create(title="Top", tags=["home"])["id"]
    middle = ann.create(title="Middle", parentId=top)["id"]
    low = ann.create(title="Low", parentId=middle, tags=["home"])["id"]
    last = ann.create(title="Last", parentId=low, tags=["home"])["id"]
    program = by_token(ann, tags=["home"])

    moved = program.graphql(UPDATE, input={"id": top, "parentId": last})
    blocked = program.graphql(BLOCK, input={"taskId": low, "blockerIds": [top]})
    deeper = program.graphql(CREATE, input={"title": "x", "tags": ["home"], "parentId": last})

    assert [each["errors"][0]["extensions"]["cycle"] for each in (moved, blocked)] == [
        [top, low, last, top],
        [low, top, low],
    ]
    assert codes(deeper) == ["BAD_USER_INPUT"]


def test_tasks_that_wait_for_hidden_ones_are_not_completed_and_name_none(ann):
    hidden = ann.create(title=MARK)["id"]
    top = ann.create(title="Top", tags=["home"])["id"]
    ann.create(title="Child", parentId=top, tags=["home"], blockedBy=[hidden])
    program = by_token(ann, tags=["home"])

    refused = program.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})

    assert refused["errors"][0]["extensions"]["blockers"] == []


def change_of(person: Person, task_id: str, kind: str) -> str:
    """The id of the only change of a kind that a task has."""
    changes = person.graphql(CHANGES)["data"]["changes"]["nodes"]
    [found] = [each["id"] for each in changes if (each["kind"], each["taskId"]) == (kind, task_id)]
    return found


def test_a_completion_is_undone_without_the_subtasks_that_are_gone_since(ann):
    top = ann.create(title="Top", tags=["home"])["id"]
    gone, left = (ann.create(title=t, parentId=top, tags=["home"])["id"] for t in "ab")
    ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"})
    completed = change_of(ann, top, "TASK_COMPLETED")
    ann.graphql(DELETE, input={"id": gone})

    undone = by_token(ann, tags=["home"]).graphql(UNDO, input={"changeId": completed})

    assert "errors" not in undone
    assert [ann.task(each)["status"] for each in (top, left)] == ["PENDING"] * 2
    assert ann.task(gone) is None


@pytest.mark.parametrize("since", [True, False])
def test_a_completion_with_a_hidden_subtask_is_no_token_s_to_undo(ann, since):
    top = ann.create(title="Top", tags=["home"])["id"]
    seen, hidden = (ann.create(title=t, parentId=top, tags=["home"])["id"] for t in ("a", MARK))
    steps = [
        lambda: ann.graphql(COMPLETE, input={"id": top, "children": "COMPLETE"}),
        lambda: ann.graphql(UPDATE, input={"id": hidden, "tags": ["work"]}),
    ]
    for step in steps if since else reversed(steps):
        step()
    completed = change_of(ann, top, "TASK_COMPLETED")

    refused = by_token(ann, tags=["home"]).graphql(UNDO, input={"changeId": completed})

    assert codes(refused) == ["FORBIDDEN"]
    assert refused["errors"][0]["message"] == (
        "This access token is confined, and a task above or below this one is outside."
    )
    assert hidden not in str(refused)
    assert [ann.task(each)["status"] for each in (top, seen, hidden)] == ["COMPLETED"] * 3


def test_a_deletion_with_a_hidden_subtask_is_no_token_s_to_undo(ann):
    top = ann.create(title="Top", tags=["home"])["id"]
    seen = ann.create(title="a", parentId=top, tags=["home"])["id"]
    hidden = ann.create(title=MARK, parentId=top, tags=["work"])["id"]
    ann.graphql(DELETE, input={"id": top})
    deleted = change_of(ann, top, "TASK_DELETED")

    refused = by_token(ann, tags=["home"]).graphql(UNDO, input={"changeId": deleted})
    after = [ann.task(each) for each in (top, seen, hidden)]
    undone = ann.graphql(UNDO, input={"changeId": deleted})

    assert codes(refused) == ["FORBIDDEN"]
    assert hidden not in str(refused)
    assert after == [None] * 3
    assert "errors" not in undone
    assert [ann.task(each)["title"] for each in (top, seen, hidden)] == ["Top", "a", MARK]
