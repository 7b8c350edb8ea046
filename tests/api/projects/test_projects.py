"""Projects: created, changed, archived, listed and filled, by GraphQL and by REST."""

import pytest
from conftest import DELETE, UPDATE, codes

FIELDS = "id name color position archivedAt version"
CREATE = f"""mutation ($input: CreateProjectInput!) {{
  createProject(input: $input) {{ project {{ {FIELDS} }} }} }}"""
CHANGE = f"""mutation ($input: UpdateProjectInput!) {{
  updateProject(input: $input) {{ project {{ {FIELDS} }} }} }}"""
ARCHIVE = f"""mutation ($input: ArchiveProjectInput!) {{
  archiveProject(input: $input) {{ project {{ {FIELDS} }} }} }}"""
UNARCHIVE = f"""mutation ($input: UnarchiveProjectInput!) {{
  unarchiveProject(input: $input) {{ project {{ {FIELDS} }} }} }}"""
REMOVE = """mutation ($input: DeleteProjectInput!) {
  deleteProject(input: $input) { deletedProjectId isComplete } }"""
PROJECTS = """query ($first: Int, $after: String, $last: Int, $before: String, $archived: Boolean) {
  projects(first: $first, after: $after, last: $last, before: $before, archived: $archived) {
    nodes { name } totalCount isComplete
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
NAMES = "query ($archived: Boolean = false) { projects(archived: $archived) { nodes { name } } }"
ONE = "query ($id: ID!) { project(id: $id) { name } }"
TASKS_OF = """query ($id: ID!, $filter: TaskFilter) {
  project(id: $id) { openCount tasks(filter: $filter) { nodes { title } totalCount } } }"""
FOUND = "query ($filter: TaskFilter!) { tasks(filter: $filter) { nodes { title } totalCount } }"
CHANGES = "{ changes { nodes { kind fields } } }"
MISSING = "01a203d7-847b-7287-8f2c-71cbfc29edc6"


def made(person, name="Home", **fields):
    """A new project of this person's."""
    answer = person.graphql(CREATE, input={"name": name, **fields})
    return answer["data"]["createProject"]["project"]


def names(person, **options):
    return [each["name"] for each in person.graphql(NAMES, **options)["data"]["projects"]["nodes"]]


def found(person, **filter):
    tasks = person.graphql(FOUND, filter=filter)["data"]["tasks"]
    assert tasks["totalCount"] == len(tasks["nodes"])
    return {task["title"] for task in tasks["nodes"]}


def test_a_project_is_created_with_what_was_given(ann):
    project = made(ann, " Home ", color="#1E90FF")

    assert project == {
        "id": project["id"],
        "name": "Home",
        "color": "#1e90ff",
        "position": project["position"],
        "archivedAt": None,
        "version": 1,
    }
    assert names(ann) == ["Home"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "Home", "color": "red"}, "color"),
        ({"name": "Home", "color": "#12345"}, "color"),
        ({"name": "Home", "color": "#1e90ff\n"}, "color"),
    ],
)
def test_what_a_project_cannot_be_is_refused_by_the_name_of_its_field(ann, values, field):
    graphql = ann.graphql(CREATE, input=values)
    rest = ann.rest("POST", "/api/v1/projects", json=values)

    assert codes(graphql) == ["BAD_USER_INPUT"]
    assert graphql["errors"][0]["extensions"]["field"] == field
    assert (rest.status_code, rest.json["code"], rest.json["field"]) == (
        *(400, "BAD_USER_INPUT"),
        field,
    )
    assert names(ann) == []


def test_projects_are_listed_in_their_order_page_by_page_both_ways(ann):
    for name in ("One", "Two", "Three"):
        made(ann, name)
    first = ann.graphql(PROJECTS, first=2)["data"]["projects"]
    end = first["pageInfo"]["endCursor"]
    second = ann.graphql(PROJECTS, first=2, after=end)["data"]["projects"]
    back = ann.graphql(PROJECTS, last=1, before=end)["data"]["projects"]

    assert [each["name"] for each in first["nodes"]] == ["One", "Two"]
    assert [each["name"] for each in second["nodes"]] == ["Three"]
    assert [each["name"] for each in back["nodes"]] == ["One"]
    assert (first["totalCount"], first["isComplete"]) == (3, True)
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, back)] == [
        *(True, False, True)
    ]
    assert codes(ann.graphql(PROJECTS, first=2, after=end, archived=True)) == ["BAD_USER_INPUT"]


def test_a_position_between_two_others_puts_a_project_between_them(ann):
    one, _, three = (made(ann, name) for name in ("One", "Two", "Three"))

    between = {"id": three["id"], "position": one["position"] + "V"}
    moved = ann.graphql(CHANGE, input=between)["data"]["updateProject"]["project"]

    assert names(ann) == ["One", "Three", "Two"]
    assert (moved["position"], moved["version"]) == (one["position"] + "V", 2)
    refused = ann.graphql(CHANGE, input={"id": three["id"], "position": "a-b"})
    assert refused["errors"][0]["extensions"]["field"] == "position"


def test_a_change_is_made_to_the_expected_version_only(ann):
    project = made(ann, color="#1e90ff")
    change = {"id": project["id"], "name": "House", "color": None}

    late = ann.graphql(CHANGE, input={**change, "expectedVersion": 2})
    unchanged = ann.rest("GET", f"/api/v1/projects/{project['id']}").json
    changed = ann.graphql(CHANGE, input={**change, "expectedVersion": 1})
    again = ann.graphql(CHANGE, input=change)
    stale = ann.rest(
        *("PUT", f"/api/v1/projects/{project['id']}"),
        json={"name": "Hut"},
        headers={"If-Match": '"1"'},
    )

    assert late["errors"][0]["extensions"] == {
        "code": "CONFLICT",
        "field": "expectedVersion",
        "currentVersion": 1,
    }
    assert (unchanged["name"], unchanged["version"]) == ("Home", 1)
    after = changed["data"]["updateProject"]["project"]
    assert (after["name"], after["color"], after["version"]) == ("House", None, 2)
    assert again["data"]["updateProject"]["project"] == after
    assert (stale.status_code, stale.json["current_version"]) == (412, 2)
    assert names(ann) == ["House"]


def test_an_archived_project_is_listed_among_the_archived_ones_with_its_tasks(ann):
    home = made(ann)
    made(ann, "Work")
    ann.create(title="Sweep", projectId=home["id"])
    key = {"id": home["id"]}

    archived = ann.graphql(ARCHIVE, input=key)["data"]["archiveProject"]["project"]
    again = ann.graphql(ARCHIVE, input=key)["data"]["archiveProject"]["project"]
    put_away = names(ann), names(ann, archived=True), names(ann, archived=None)
    listed = ann.rest("GET", "/api/v1/projects?archived=true").json
    back = ann.graphql(UNARCHIVE, input=key)["data"]["unarchiveProject"]["project"]

    assert archived["archivedAt"] is not None
    assert again == archived
    assert put_away == (["Work"], ["Home"], ["Home", "Work"])
    assert [each["name"] for each in listed] == ["Home"]
    assert found(ann, projectIds=[home["id"]]) == {"Sweep"}
    assert (back["archivedAt"], back["version"]) == (None, 3)
    assert names(ann) == ["Home", "Work"]


def test_rest_has_the_same_in_snake_case(ann):
    created = ann.rest("POST", "/api/v1/projects", json={"name": "Home", "color": "#1e90ff"})
    project = created.json
    path = f"/api/v1/projects/{project['project_id']}"
    task = ann.rest(
        "POST", "/api/v1/tasks", json={"title": "Sweep", "project_id": project["project_id"]}
    ).json

    assert (created.status_code, created.headers["Location"]) == (201, path)
    assert task["project_id"] == project["project_id"]
    assert ann.rest("GET", path).json == {**project, "open_count": 1}
    assert ann.rest("GET", path).headers["ETag"] == '"1"'
    assert ann.rest("GET", "/api/v1/projects").json == [project]
    assert ann.rest("PATCH", path, json={"name": "House"}).json["name"] == "House"
    assert ann.rest("POST", f"{path}/archive").json["archived_at"] is not None
    assert ann.rest("POST", f"{path}/unarchive").json["archived_at"] is None
    listed = ann.rest("GET", f"/api/v1/tasks?project_ids={project['project_id']},{MISSING}").json
    assert [each["title"] for each in listed] == ["Sweep"]
    assert ann.rest("GET", "/api/v1/tasks?no_project=true").json == []
    assert ann.rest("DELETE", path, json={"tasks": "keep"}).json == {
        "message": "Project deleted successfully",
        "is_complete": True,
    }
    assert ann.rest("GET", path).status_code == 404


# Tasks in projects


def test_a_task_is_put_into_a_project_and_taken_out_and_the_feed_says_so(ann):
    home = made(ann)
    task = ann.create(title="Sweep")
    key = {"id": task["id"]}

    into = ann.graphql(UPDATE, input={**key, "projectId": home["id"]})
    within = found(ann, projectIds=[home["id"]]), found(ann, noProject=True)
    ann.graphql(UPDATE, input={**key, "projectId": None})

    assert into["data"]["updateTask"]["task"]["projectId"] == home["id"]
    assert within == ({"Sweep"}, set())
    assert (found(ann, projectIds=[home["id"]]), found(ann, noProject=True)) == (set(), {"Sweep"})
    changes = ann.graphql(CHANGES)["data"]["changes"]["nodes"]
    assert [(each["kind"], each["fields"]) for each in changes] == [
        ("TASK_CREATED", ["title"]),
        ("TASK_UPDATED", ["projectId"]),
        ("TASK_UPDATED", ["projectId"]),
    ]


def test_projects_of_a_list_of_tasks_are_read_together(ann, calls):
    home, work = made(ann), made(ann, "Work")
    for title, project in (("Sweep", home), ("Mop", home), ("Meet", work)):
        ann.create(title=title, projectId=project["id"])
    ann.create(title="Breathe")
    calls.clear()

    answer = ann.graphql("{ tasks { nodes { title project { name } } } }")

    tasks = answer["data"]["tasks"]["nodes"]
    assert {task["title"]: task["project"] and task["project"]["name"] for task in tasks} == {
        "Sweep": "Home",
        "Mop": "Home",
        "Meet": "Work",
        "Breathe": None,
    }
    assert calls == ["Query", "BatchGetItem"]


def test_tasks_and_open_counts_of_projects(ann, calls):
    home, work = made(ann), made(ann, "Work")
    ann.create(title="Sweep", projectId=home["id"], dueAt="2020-01-01T00:00:00Z")
    ann.create(title="Mop", projectId=home["id"], status="COMPLETED")
    ann.create(title="Breathe")
    calls.clear()
    counts = ann.graphql("{ viewer { openCount overdueCount } projects { nodes { openCount } } }")
    counted = list(calls)

    assert counts["data"] == {
        "viewer": {"openCount": 2, "overdueCount": 1},
        "projects": {"nodes": [{"openCount": 1}, {"openCount": 0}]},
    }
    assert counted == ["Query", "Query"]  # of the projects, and of the tasks
    everything = ann.graphql(TASKS_OF, id=home["id"])["data"]["project"]
    assert (everything["openCount"], everything["tasks"]["totalCount"]) == (1, 2)
    both = {"projectIds": [home["id"], work["id"]], "status": ["COMPLETED"]}
    some = ann.graphql(TASKS_OF, id=home["id"], filter=both)["data"]["project"]["tasks"]
    none = ann.graphql(TASKS_OF, id=home["id"], filter={"projectIds": [work["id"]]})
    assert [task["title"] for task in some["nodes"]] == ["Mop"]
    assert none["data"]["project"]["tasks"] == {"nodes": [], "totalCount": 0}


@pytest.mark.parametrize("order", ["CREATED_AT", "DUE_AT", "URGENCY"])
def test_a_list_of_a_project_pages_in_every_order(ann, order):
    home = made(ann)
    for title in ("Sweep", "Mop", "Dust"):
        ann.create(title=title, projectId=home["id"])
        ann.create(title=f"Not {title}")
    query = f"""query ($after: String, $filter: TaskFilter) {{
      tasks(first: 2, after: $after, filter: $filter, orderBy: {{field: {order}, direction: ASC}})
      {{ nodes {{ title }} totalCount pageInfo {{ endCursor }} }} }}"""
    within = {"projectIds": [home["id"]]}

    first = ann.graphql(query, filter=within)["data"]["tasks"]
    cursor = first["pageInfo"]["endCursor"]
    second = ann.graphql(query, filter=within, after=cursor)["data"]["tasks"]
    elsewhere = ann.graphql(query, filter={"noProject": True}, after=cursor)

    titles = [task["title"] for page in (first, second) for task in page["nodes"]]
    assert sorted(titles) == ["Dust", "Mop", "Sweep"]
    assert first["totalCount"] == 3
    assert codes(elsewhere) == ["BAD_USER_INPUT"]


def test_an_idempotent_creation_in_a_project_is_one_task(ann):
    home = made(ann)
    values = {"title": "Sweep", "projectId": home["id"], "idempotencyKey": "k"}

    first, second = ann.create(**values), ann.create(**values)
    ann.graphql(REMOVE, input={"id": home["id"], "tasks": "KEEP"})
    third = ann.create(**values)

    assert first["id"] == second["id"] == third["id"]
    assert found(ann, noProject=True) == {"Sweep"}


def test_a_task_comes_back_to_its_project_if_there_still_is_one(ann):
    home, work = made(ann), made(ann, "Work")
    sweep, meet = (
        ann.create(title="Sweep", projectId=home["id"]),
        ann.create(title="Meet", projectId=work["id"]),
    )
    for task in (sweep, meet):
        ann.graphql(DELETE, input={"id": task["id"]})
    ann.graphql(REMOVE, input={"id": work["id"], "tasks": "KEEP"})
    changes = ann.graphql("{ changes { nodes { id kind } } }")["data"]["changes"]["nodes"]

    for change in changes:
        if change["kind"] == "TASK_DELETED":
            ann.rest("POST", f"/api/v1/changes/{change['id']}/undo")

    assert found(ann, projectIds=[home["id"]]) == {"Sweep"}
    assert found(ann, noProject=True) == {"Meet"}


# Defaults

DEFAULTED = """mutation ($input: CreateTaskInput!) {
  createTask(input: $input) { task { priority tags durationMinutes } } }"""
DEFAULTS = {"priority": "HIGH", "tags": ["move"], "durationMinutes": 30}
SHOWN = "query ($id: ID!) { project(id: $id) { defaults { priority tags durationMinutes } } }"


def task_of(person, **values):
    answer = person.graphql(DEFAULTED, input={"title": "x", **values})
    return answer["data"]["createTask"]["task"]


def test_a_new_task_has_the_defaults_of_its_project_where_it_says_nothing(ann):
    plain, home = made(ann), made(ann, defaults=DEFAULTS)
    initial = task_of(ann)

    assert task_of(ann, projectId=home["id"]) == DEFAULTS
    assert task_of(ann, projectId=plain["id"]) == initial
    given = {"priority": "LOW", "tags": None, "durationMinutes": None}
    assert task_of(ann, projectId=home["id"], **given) == {**initial, "priority": "LOW"}
    assert ann.graphql(SHOWN, id=home["id"])["data"]["project"]["defaults"] == DEFAULTS
    assert ann.graphql(SHOWN, id=plain["id"])["data"]["project"]["defaults"] == dict.fromkeys(
        DEFAULTS
    )
    changes = ann.graphql(CHANGES)["data"]["changes"]["nodes"]
    assert changes[1]["fields"] == ["title", "projectId"]  # what was given


def test_defaults_are_replaced_as_a_whole_and_cleared_by_null(ann):
    home = made(ann, defaults=DEFAULTS)
    path = f"/api/v1/projects/{home['id']}"

    replaced = ann.rest("PATCH", path, json={"defaults": {"priority": "low"}}).json
    same = ann.rest("PATCH", path, json={"defaults": {"priority": "low"}}).json
    cleared = ann.rest("PATCH", path, json={"defaults": None}).json

    assert replaced["defaults"] == {"priority": "low", "tags": None, "duration_minutes": None}
    assert (replaced["version"], same["version"], cleared["version"]) == (2, 2, 3)
    assert cleared["defaults"] == {"priority": None, "tags": None, "duration_minutes": None}


@pytest.mark.parametrize(
    ("defaults", "field"),
    [
        ({"tags": ["x"] * 5 + [""]}, "tags"),
        ({"tags": ["\u200b"]}, "tags"),
        ({"durationMinutes": -1}, "durationMinutes"),
    ],
)
def test_defaults_that_no_task_can_have_are_refused(ann, defaults, field):
    refused = ann.graphql(CREATE, input={"name": "Home", "defaults": defaults})

    assert codes(refused) == ["BAD_USER_INPUT"]
    assert refused["errors"][0]["extensions"]["field"] == field
    assert names(ann) == []


def test_other_defaults_do_not_make_an_idempotent_creation_another_one(ann):
    home = made(ann, defaults=DEFAULTS)
    values = {"title": "x", "projectId": home["id"], "idempotencyKey": "k"}
    first = ann.create(**values)

    ann.graphql(CHANGE, input={"id": home["id"], "defaults": {"priority": "LOW"}})

    assert ann.create(**values) == first


# Refusals


@pytest.mark.parametrize("which", ["none", "another's", "a deleted one"])
def test_what_is_no_project_of_ones_own_is_not_found_and_nothing_is_written(ann, bob, which):
    project_id = MISSING
    if which == "another's":
        project_id = made(bob, "Bob's secret")["id"]
    if which == "a deleted one":
        project_id = made(ann)["id"]
        ann.graphql(REMOVE, input={"id": project_id, "tasks": "KEEP"})
    task = ann.create(title="Sweep")
    path = f"/api/v1/projects/{project_id}"
    before = ann.graphql(CHANGES)

    answers = [
        ann.graphql(ONE, id=project_id),
        ann.graphql(CHANGE, input={"id": project_id, "name": "Mine"}),
        ann.graphql(ARCHIVE, input={"id": project_id}),
        ann.graphql(UNARCHIVE, input={"id": project_id}),
        ann.graphql(REMOVE, input={"id": project_id, "tasks": "DELETE"}),
        ann.graphql(
            "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }",
            i={"title": "In there", "projectId": project_id},
        ),
        ann.graphql(
            "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }",
            i={"title": "In there", "projectId": project_id, "idempotencyKey": "k"},
        ),
        ann.graphql(UPDATE, input={"id": task["id"], "projectId": project_id}),
    ]
    by_rest = [
        ann.rest("GET", path),
        ann.rest("PATCH", path, json={"name": "Mine"}),
        ann.rest("POST", f"{path}/archive"),
        ann.rest("DELETE", path, json={"tasks": "delete"}),
        ann.rest("PATCH", f"/api/v1/tasks/{task['id']}", json={"project_id": project_id}),
    ]

    assert [codes(answer) for answer in answers] == [["NOT_FOUND"]] * 8
    assert [answer["errors"][0]["extensions"].get("field") for answer in answers] == [
        *(["id"] * 5),
        *(["projectId"] * 3),
    ]
    assert [answer.status_code for answer in by_rest] == [404] * 5
    assert ann.task(task["id"]) == task
    assert ann.graphql(CHANGES) == before
    assert names(ann) == []
    assert found(ann, projectIds=[project_id]) == set()
    if which == "another's":
        assert "Bob's secret" in names(bob)


def test_a_filter_has_a_bounded_number_of_projects(ann):
    answer = ann.graphql(FOUND, filter={"projectIds": [str(n) for n in range(51)]})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "projectIds"


def test_a_user_has_a_bounded_number_of_projects(ann, monkeypatch):
    monkeypatch.setattr("graphql_api.domain.projects.store.MAX_PROJECTS", 2)
    first = made(ann)
    made(ann)

    refused = ann.graphql(CREATE, input={"name": "Third"})
    ann.graphql(REMOVE, input={"id": first["id"], "tasks": "KEEP"})

    assert codes(refused) == ["CONFLICT"]
    assert made(ann)["version"] == 1
    assert len(names(ann)) == 2


def test_a_webhook_may_look_at_some_projects_only(ann):
    home = made(ann)
    made_hook = """mutation ($input: CreateWebhookInput!) {
      createWebhook(input: $input) { webhook { filter { projectIds noProject } } } }"""
    given = {"url": "https://203.0.114.1/", "filter": {"projectIds": [home["id"]]}}

    webhook = ann.graphql(made_hook, input=given)["data"]["createWebhook"]["webhook"]
    [shown] = ann.rest("GET", "/api/v1/webhooks").json

    assert webhook["filter"] == {"projectIds": [home["id"]], "noProject": None}
    assert shown["filter"]["project_ids"] == [home["id"]]
