"""Tasks that come again: each occurrence is a task, and closing it makes the next one, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from conftest import codes

from graphql_api import clock
from graphql_api.domain.recurrence import zone_data

pytestmark = pytest.mark.core

DUE = "2090-03-20T08:00:00.000Z"  # a Monday, nine o'clock in Berlin, before the clocks change
SERIES = """
  id rrule timezone anchor monthEnd missed exDates text version endedAt current { id }
  streak rate zoneData
  upcoming(first: 3) { on at status adjustedFor }
"""
TASK = f"id title status dueAt version series {{ {SERIES} }}"
CREATE = (
    f"mutation ($input: CreateTaskInput!) {{ createTask(input: $input) {{ task {{ {TASK} }} }} }}"
)
UPDATE = (
    f"mutation ($input: UpdateTaskInput!) {{ updateTask(input: $input) {{ task {{ {TASK} }} }} }}"
)
COMPLETE = f"""mutation ($input: CompleteTaskInput!) {{
  completeTask(input: $input) {{ task {{ {TASK} }} next {{ {TASK} }} }} }}"""
SKIP = f"""mutation ($input: SkipOccurrenceInput!) {{
  skipOccurrence(input: $input) {{ task {{ {TASK} }} next {{ {TASK} }} }} }}"""
CHANGE = f"""mutation ($input: UpdateSeriesInput!) {{
  updateSeries(input: $input) {{ series {{ {SERIES} }} }} }}"""
END = (
    f"mutation ($input: EndSeriesInput!) {{ endSeries(input: $input) {{ series {{ {SERIES} }} }} }}"
)
GET = f"query ($id: ID!) {{ task(id: $id) {{ {TASK} }} }}"
BULK = """mutation ($t: [UpdateTaskInput!]!) {
  updateTasks(input: {tasks: $t}) { results { error { code } } } }"""
PAST = """query ($id: ID!, $first: Int! = 25, $after: String) { series(id: $id) {
  occurrences(first: $first, after: $after) {
    nodes { on status taskId closedBy } pageInfo { hasNextPage endCursor } totalCount } } }"""
OPEN = "{ tasks(filter: {status: [PENDING, IN_PROGRESS]}) { nodes { id title dueAt } } }"
CHANGES = "{ changes { nodes { kind taskId fields } } }"
UNDO = "mutation ($id: ID!) { undoChange(input: {changeId: $id}) { task { id status version } } }"
HISTORY = "query ($id: ID!) { task(id: $id) { history { nodes { id kind fields } } } }"


def data(body):
    assert "errors" not in body, body
    [value] = body["data"].values()
    return value


def recurring(person, rrule="FREQ=WEEKLY", due=DUE, *, zone="Europe/Berlin", task=None, **options):
    recurrence = {"rrule": rrule, "timezone": zone, **options}
    fields = {"title": "Water plants", "dueAt": due, "recurrence": recurrence, **(task or {})}
    return data(person.graphql(CREATE, input=fields))["task"]


def complete(person, task_id, **fields):
    return person.graphql(COMPLETE, input={"id": task_id, **fields})


def open_tasks(person):
    return data(person.graphql(OPEN))["nodes"]


def past(person, series_id):
    nodes = data(person.graphql(PAST, id=series_id))["occurrences"]["nodes"]
    return [(each["on"], each["status"]) for each in nodes]


def last_change(person, task_id):
    return data(person.graphql(HISTORY, id=task_id))["history"]["nodes"][0]


def test_a_task_that_recurs_says_when_it_comes(ann):
    task = recurring(ann)
    series = task["series"]
    assert series == {
        "id": series["id"],
        "rrule": "FREQ=WEEKLY",
        "timezone": "Europe/Berlin",
        "anchor": "SCHEDULED",
        "monthEnd": "LAST_VALID_DAY",
        "missed": "KEEP_ONE",
        "exDates": [],
        "text": "every Monday at 09:00, Berlin time",
        "version": 1,
        "endedAt": None,
        "current": {"id": task["id"]},
        "streak": 0,
        "rate": None,
        "zoneData": zone_data.version(),
        "upcoming": [
            {"on": "2090-03-27", "at": "2090-03-27T07:00:00.000Z", "status": "UPCOMING",
             "adjustedFor": None},
            {"on": "2090-04-03", "at": "2090-04-03T07:00:00.000Z", "status": "UPCOMING",
             "adjustedFor": None},
            {"on": "2090-04-10", "at": "2090-04-10T07:00:00.000Z", "status": "UPCOMING",
             "adjustedFor": None},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("way", ["complete", "update", "rest complete", "rest update", "bulk"])
def test_completing_makes_the_next_occurrence_by_every_way(ann, way):
    task = recurring(ann)
    path = f"/api/v1/tasks/{task['id']}"
    if way == "complete":
        assert data(complete(ann, task["id"]))["next"]["dueAt"] == "2090-03-27T07:00:00.000Z"
    elif way == "update":
        data(ann.graphql(UPDATE, input={"id": task["id"], "status": "COMPLETED"}))
    elif way == "rest complete":
        body = ann.rest("POST", f"{path}/complete", json={}).json
        assert (body["status"], body["next"]["due_at"]) == ("completed", "2090-03-27T07:00:00.000Z")
    elif way == "rest update":
        assert ann.rest("PUT", path, json={"status": "completed"}).status_code == 200
    else:
        data(ann.graphql(BULK, t=[{"id": task["id"], "status": "COMPLETED"}]))
    [following] = open_tasks(ann)
    assert following["id"] != task["id"]
    assert (following["title"], following["dueAt"]) == ("Water plants", "2090-03-27T07:00:00.000Z")
    done = data(ann.graphql(GET, id=task["id"]))
    assert (done["status"], done["series"]["current"]["id"]) == ("COMPLETED", following["id"])
    assert past(ann, task["series"]["id"]) == [("2090-03-20", "DONE")]


@pytest.mark.concurrent  # moto copies its tables for each transaction
def test_two_devices_make_one_next_occurrence(ann):
    for _ in range(5):
        task = recurring(ann)
        with ThreadPoolExecutor(4) as devices:
            bodies = list(devices.map(lambda _: complete(ann, task["id"]), range(4)))  # noqa: B023
        assert sorted("errors" in body for body in bodies) == [False, True, True, True]
        failed = [body for body in bodies if "errors" in body]
        assert [codes(body) for body in failed] == [["CONFLICT"]] * 3
        [following] = open_tasks(ann)
        ann.graphql("mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId } }",
                    id=following["id"])  # fmt: skip


def test_completing_is_one_transaction(ann, calls):
    task = recurring(ann)
    calls.clear()
    complete(ann, task["id"])
    assert calls.count("TransactWriteItems") == 1
    assert len(calls) <= 6


def test_a_page_of_recurring_tasks_takes_one_call_more(ann, calls):
    for _ in range(3):
        recurring(ann)
    query = "{ tasks { nodes { id series { text } } } }"
    calls.clear()
    ann.graphql("{ tasks { nodes { id } } }")
    plain = len(calls)
    calls.clear()
    assert len(data(ann.graphql(query))["nodes"]) == 3
    assert len(calls) == plain + 1


def test_skipping_cancels_the_task_and_makes_the_next(ann):
    task = recurring(ann)
    body = data(ann.graphql(SKIP, input={"id": task["id"]}))
    assert body["task"]["status"] == "CANCELLED"
    assert body["next"]["dueAt"] == "2090-03-27T07:00:00.000Z"
    assert past(ann, task["series"]["id"]) == [("2090-03-20", "SKIPPED")]
    rest = ann.rest("POST", f"/api/v1/tasks/{body['next']['id']}/skip", json={}).json
    assert rest["next"]["due_at"] == "2090-04-03T07:00:00.000Z"


def test_a_series_ends_by_its_count(ann):
    task = recurring(ann, "FREQ=DAILY;COUNT=2")
    following = data(complete(ann, task["id"]))["next"]
    last = data(complete(ann, following["id"]))
    assert last["next"] is None
    assert last["task"]["series"]["endedAt"] is not None
    assert last["task"]["series"]["current"] is None
    assert open_tasks(ann) == []


def test_what_goes_along_moves_with_the_due_date(ann):
    more = {
        "notBefore": "2090-03-18T23:00:00Z",
        "tags": ["home"],
        "durationMinutes": 30,
        "reminders": [{"minutesBefore": 60}, {"at": "2090-03-19T17:00:00Z"}],
    }
    task = recurring(ann, task=more)
    following = data(complete(ann, task["id"]))["next"]
    shown = ann.rest("GET", f"/api/v1/tasks/{following['id']}").json
    assert shown["tags"] == ["home"]
    assert shown["duration_minutes"] == 30
    assert shown["not_before"] == "2090-03-25T23:00:00.000Z"  # midnight there
    assert [each["at"] for each in shown["reminders"]] == [None, "2090-03-26T16:00:00.000Z"]


def test_moving_the_current_occurrence_leaves_the_rule(ann):
    task = recurring(ann)
    data(ann.graphql(UPDATE, input={"id": task["id"], "dueAt": "2090-03-22T12:00:00Z"}))
    assert data(complete(ann, task["id"]))["next"]["dueAt"] == "2090-03-27T07:00:00.000Z"


@pytest.mark.parametrize(
    ("policy", "due", "passed"),
    [
        ("KEEP_ALL", "2020-01-02T09:00:00.000Z", []),
        ("KEEP_ONE", "2020-01-05T09:00:00.000Z", ["2020-01-04", "2020-01-03", "2020-01-02"]),
        ("SKIP", None, ["2020-01-05", "2020-01-04", "2020-01-03", "2020-01-02"]),
    ],
)
def test_what_was_missed_follows_the_policy(ann, policy, due, passed):
    rule = "FREQ=DAILY;UNTIL=20200105"
    task = recurring(ann, rule, "2020-01-01T09:00:00Z", zone="UTC", missed=policy)
    following = data(complete(ann, task["id"]))["next"]
    assert (following and following["dueAt"]) == due
    told = past(ann, task["series"]["id"])
    assert told == [*((on, "MISSED") for on in passed), ("2020-01-01", "DONE")]


def test_from_completion_counts_from_today(ann):
    task = recurring(ann, "FREQ=DAILY;INTERVAL=3", "2020-01-01T09:00:00Z", anchor="COMPLETION")
    following = data(complete(ann, task["id"]))["next"]
    assert following["dueAt"] > "2026"


def test_undo_takes_the_untouched_next_one_back(ann):
    task = recurring(ann)
    data(complete(ann, task["id"]))
    undone = data(ann.graphql(UNDO, id=last_change(ann, task["id"])["id"]))
    assert undone["task"]["status"] == "PENDING"
    assert [each["id"] for each in open_tasks(ann)] == [task["id"]]
    series = data(ann.graphql(GET, id=task["id"]))["series"]
    assert series["current"]["id"] == task["id"]
    assert past(ann, series["id"]) == []
    assert data(complete(ann, task["id"]))["next"]["dueAt"] == "2090-03-27T07:00:00.000Z"


def test_undo_leaves_a_next_one_that_was_touched(ann):
    task = recurring(ann)
    following = data(complete(ann, task["id"]))["next"]
    data(ann.graphql(UPDATE, input={"id": following["id"], "title": "Water the ferns"}))
    data(ann.graphql(UNDO, id=last_change(ann, task["id"])["id"]))
    assert {each["id"] for each in open_tasks(ann)} == {task["id"], following["id"]}
    assert data(complete(ann, task["id"]))["next"] is None
    assert [each["id"] for each in open_tasks(ann)] == [following["id"]]


def test_undo_revives_a_series_that_its_last_occurrence_has_ended(ann):
    task = recurring(ann, "FREQ=DAILY;COUNT=1")
    data(complete(ann, task["id"]))
    data(ann.graphql(UNDO, id=last_change(ann, task["id"])["id"]))
    series = data(ann.graphql(GET, id=task["id"]))["series"]
    assert (series["endedAt"], series["current"]) == (None, {"id": task["id"]})


def test_deleting_the_current_occurrence_ends_the_series_and_undo_brings_both_back(ann):
    task = recurring(ann)
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")
    path = f"/api/v1/series/{task['series']['id']}"
    assert ann.rest("GET", path).json["ended_at"] is not None
    deleted = data(ann.graphql("{ changes { nodes { id kind } } }"))["nodes"][-1]
    data(ann.graphql(UNDO, id=deleted["id"]))
    assert ann.rest("GET", path).json["ended_at"] is None
    assert data(complete(ann, task["id"]))["next"] is not None


def test_a_task_begins_to_recur_and_stops(ann):
    task = ann.create(title="Read", dueAt=DUE)
    rule = {"rrule": "FREQ=DAILY", "timezone": "UTC"}
    begun = data(ann.graphql(UPDATE, input={"id": task["id"], "recurrence": rule}))["task"]
    assert (begun["version"], begun["series"]["rrule"]) == (2, "FREQ=DAILY")
    again = data(ann.graphql(UPDATE, input={"id": task["id"], "recurrence": rule}))["task"]
    assert again["version"] == 2
    other = {**rule, "rrule": "FREQ=WEEKLY"}
    changed = data(ann.graphql(UPDATE, input={"id": task["id"], "recurrence": other}))["task"]
    assert changed["series"]["id"] == begun["series"]["id"]
    assert changed["series"]["rrule"] == "FREQ=WEEKLY"
    ended = data(ann.graphql(UPDATE, input={"id": task["id"], "recurrence": None}))["task"]
    assert (ended["series"], ended["version"]) == (None, 4)
    assert data(complete(ann, task["id"]))["next"] is None


def test_rest_begins_and_ends_a_series(ann):
    rule = {"rrule": "FREQ=DAILY", "timezone": "UTC", "month_end": "skip"}
    task = ann.rest("POST", "/api/v1/tasks", json={"title": "x", "due_at": DUE, "recurrence": rule})
    path = f"/api/v1/tasks/{task.json['task_id']}"
    series = ann.rest("GET", f"{path}/series").json["series"]
    assert series["text"] == "every day at 08:00, UTC"
    assert series["current"]["task_id"] == task.json["task_id"]
    assert ann.rest("PUT", path, json={"recurrence": None}).status_code == 200
    assert ann.rest("GET", f"{path}/series").json["series"] is None
    assert ann.rest("GET", f"/api/v1/series/{series['series_id']}").json["ended_at"] is not None


def test_a_changed_series_changes_what_comes(ann):
    task = recurring(ann)
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=TU", "timezone": "Europe/Berlin"}
    series_id = task["series"]["id"]
    changed = data(
        ann.graphql(CHANGE, input={"id": series_id, "recurrence": rule, "expectedVersion": 1})
    )
    assert changed["series"]["version"] == 2
    assert changed["series"]["upcoming"][0]["on"] == "2090-03-21"
    stale = ann.graphql(CHANGE, input={"id": series_id, "recurrence": rule, "expectedVersion": 1})
    assert codes(stale) == ["CONFLICT"]
    assert stale["errors"][0]["extensions"]["currentVersion"] == 2
    told = last_change(ann, task["id"])
    assert (told["kind"], told["fields"]) == ("SERIES_UPDATED", ["rrule"])
    assert codes(ann.graphql(UNDO, id=told["id"])) == ["BAD_USER_INPUT"]
    assert data(complete(ann, task["id"]))["next"]["dueAt"] == "2090-03-21T08:00:00.000Z"


def test_an_ended_series_keeps_its_current_task_and_makes_none(ann):
    task = recurring(ann)
    ended = data(ann.graphql(END, input={"id": task["series"]["id"]}))["series"]
    assert (ended["endedAt"] is None, ended["upcoming"], ended["current"]) == (False, [], None)
    assert data(complete(ann, task["id"]))["next"] is None
    assert codes(
        ann.graphql(
            CHANGE, input={"id": task["series"]["id"], "recurrence": {"rrule": "FREQ=DAILY"}}
        )
    ) == ["CONFLICT"]


def test_past_occurrences_are_paged(ann):
    task = recurring(ann, "FREQ=DAILY")
    series_id = task["series"]["id"]
    for _ in range(3):
        task = data(complete(ann, task["id"]))["next"]
    page = data(ann.graphql(PAST, id=series_id, first=2))["occurrences"]
    assert [each["on"] for each in page["nodes"]] == ["2090-03-22", "2090-03-21"]
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (True, 3)
    rest = data(ann.graphql(PAST, id=series_id, first=2, after=page["pageInfo"]["endCursor"]))
    assert [each["on"] for each in rest["occurrences"]["nodes"]] == ["2090-03-20"]
    assert rest["occurrences"]["pageInfo"]["hasNextPage"] is False
    listed = ann.rest("GET", f"/api/v1/series/{series_id}/occurrences").json
    assert [each["status"] for each in listed] == ["done"] * 3


def test_the_feed_tells_of_the_next_one(ann):
    task = recurring(ann)
    following = data(complete(ann, task["id"]))["next"]
    told = data(ann.graphql(CHANGES))["nodes"]
    assert [(each["kind"], each["taskId"]) for each in told] == [
        ("TASK_CREATED", task["id"]),
        ("SERIES_CREATED", task["id"]),
        ("TASK_COMPLETED", task["id"]),
        ("TASK_CREATED", following["id"]),
    ]
    assert told[0]["fields"] == ["title", "dueAt", "recurrence"]


def test_a_key_creates_one_series(ann):
    fields = {"title": "x", "dueAt": DUE, "idempotencyKey": "k"}
    rule = {"rrule": "FREQ=DAILY", "timezone": "UTC"}
    first = data(ann.graphql(CREATE, input={**fields, "recurrence": rule}))["task"]
    second = data(ann.graphql(CREATE, input={**fields, "recurrence": rule}))["task"]
    assert first["id"] == second["id"]
    assert first["series"]["id"] == second["series"]["id"]
    assert codes(ann.graphql(CREATE, input=fields)) == ["CONFLICT"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"recurrence": {"rrule": "FREQ=HOURLY"}}, "recurrence.rrule"),
        ({"recurrence": {"rrule": "FREQ=DAILY", "timezone": "Mars"}}, "recurrence.timezone"),
        ({"recurrence": {"rrule": "FREQ=DAILY", "exDates": ["2090-03-20"]}}, "recurrence.exDates"),
        ({"recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=TU"}}, "dueAt"),
        ({"recurrence": {"rrule": "FREQ=DAILY"}, "dueAt": None}, "dueAt"),
        ({"recurrence": {"rrule": "FREQ=DAILY"}, "status": "COMPLETED"}, "recurrence"),
    ],
)  # fmt: skip
def test_a_bad_recurrence_writes_nothing(ann, fields, field):
    body = ann.graphql(CREATE, input={"title": "x", "dueAt": DUE, **fields})
    assert codes(body) == ["BAD_USER_INPUT"]
    told = body["errors"][0]["extensions"]
    assert told.get("at", told["field"]) == field
    assert open_tasks(ann) == []


def test_skipping_what_does_not_recur_is_refused(ann):
    task = ann.create(title="x")
    body = ann.graphql(SKIP, input={"id": task["id"]})
    assert codes(body) == ["BAD_USER_INPUT"]
    assert body["errors"][0]["extensions"]["field"] == "id"
    assert ann.task(task["id"])["status"] == "PENDING"


def test_rest_completes_without_a_body(ann):
    task = recurring(ann)
    path = f"/api/v1/tasks/{task['id']}/complete"
    assert ann.rest("POST", path).json["next"] is not None
    refused = ann.rest("POST", path, data="", content_type="text/plain")
    assert refused.status_code == 409


def test_a_merge_does_not_overwrite_another_rule(ann):
    task = ann.create(title="x", dueAt=DUE)
    first = {"id": task["id"], "expectedVersion": 1, "recurrence": {"rrule": "FREQ=DAILY"}}
    data(ann.graphql(UPDATE, input=first))
    other = {**first, "recurrence": {"rrule": "FREQ=WEEKLY"}, "mergeDisjoint": True}
    refused = ann.graphql(UPDATE, input=other)
    assert codes(refused) == ["CONFLICT"]
    assert refused["errors"][0]["extensions"]["fields"] == ["recurrence"]


def test_an_undo_of_a_rule_is_refused(ann):
    task = ann.create(title="x", dueAt=DUE)
    data(ann.graphql(UPDATE, input={"id": task["id"], "recurrence": {"rrule": "FREQ=DAILY"}}))
    refused = ann.graphql(UNDO, id=last_change(ann, task["id"])["id"])
    assert codes(refused) == ["BAD_USER_INPUT"]


def test_completing_twice_is_a_conflict(ann):
    task = recurring(ann)
    data(complete(ann, task["id"]))
    assert codes(complete(ann, task["id"])) == ["CONFLICT"]
    assert len(open_tasks(ann)) == 1


def test_a_series_is_found_by_its_id_alone(ann, neighbour):
    series_id = recurring(ann)["series"]["id"]
    query = "query ($id: ID!) { node(id: $id) { id __typename ... on Series { rrule } } }"
    assert data(ann.graphql(query, id=series_id)) == {
        "id": series_id,
        "__typename": "Series",
        "rrule": "FREQ=WEEKLY",
    }
    assert codes(neighbour.graphql(query, id=series_id)) == ["NOT_FOUND"]


def test_nobody_sees_or_changes_the_series_of_another(ann, neighbour):
    task = recurring(ann)
    series_id = task["series"]["id"]
    assert codes(neighbour.graphql(PAST, id=series_id)) == ["NOT_FOUND"]
    assert codes(neighbour.graphql(END, input={"id": series_id})) == ["NOT_FOUND"]
    assert codes(complete(neighbour, task["id"])) == ["NOT_FOUND"]
    assert data(ann.graphql(GET, id=task["id"]))["series"]["endedAt"] is None


ADD = """mutation ($input: BlockersInput!) {
  addBlockers(input: $input) { task { isReady } } }"""
BLOCKED = "query ($id: ID!) { task(id: $id) { isReady blockedBy { id } } }"


def block(person, task, *blockers):
    data(person.graphql(ADD, input={"taskId": task, "blockerIds": list(blockers)}))


def blocked(person, task_id):
    task = data(person.graphql(BLOCKED, id=task_id))
    return task["isReady"], [each["id"] for each in task["blockedBy"]]


def test_a_blocker_that_recurs_binds_the_occurrence_that_is_current(ann):
    water, harvest = recurring(ann)["id"], ann.create(title="Harvest")["id"]
    block(ann, harvest, water)
    assert blocked(ann, harvest) == (False, [water])

    data(complete(ann, water))

    assert blocked(ann, harvest) == (True, [water])  # and not by the next one, forever


def test_the_next_occurrence_waits_for_what_recurs_as_the_one_before_did(ann, calls):
    water, harvest = recurring(ann, "FREQ=DAILY")["id"], recurring(ann)["id"]
    plain = ann.create(title="Buy a basket")["id"]
    block(ann, harvest, water, plain)
    for _ in range(3):
        water = data(complete(ann, water))["next"]["id"]
    ann.graphql(UPDATE, input={"id": plain, "status": "COMPLETED"})

    calls.clear()
    following = data(complete(ann, harvest))["next"]["id"]

    assert calls.count("TransactWriteItems") == 1
    assert blocked(ann, following) == (False, [water])
    assert blocked(ann, harvest)[1] == [plain]  # what recurs has gone along
    assert codes(complete(ann, following)) == ["CONFLICT"]

    data(ann.graphql(UNDO, id=last_change(ann, harvest)["id"]))
    assert codes(ann.graphql(GET, id=following)) == ["NOT_FOUND"]
    assert blocked(ann, harvest) == (False, [plain, water])


def test_a_next_occurrence_with_another_blocker_stays(ann):
    water, harvest = recurring(ann, "FREQ=DAILY")["id"], recurring(ann)["id"]
    block(ann, harvest, water)
    data(complete(ann, water))
    following = data(complete(ann, harvest))["next"]["id"]
    block(ann, following, ann.create(title="Buy a basket")["id"])
    data(ann.graphql(UNDO, id=last_change(ann, harvest)["id"]))

    assert data(ann.graphql(GET, id=following))["status"] == "PENDING"


def tally(person, series_id):
    series = person.rest("GET", f"/api/v1/series/{series_id}").json
    return series["streak"], series["rate"]


def test_a_streak_is_ended_by_what_was_missed_and_not_by_what_was_skipped(ann):
    rule = "FREQ=DAILY;UNTIL=20200110"
    task = recurring(ann, rule, "2020-01-01T09:00:00Z", zone="UTC", missed="KEEP_ALL")
    series_id, found = task["series"]["id"], []
    for step in (COMPLETE, SKIP, COMPLETE, COMPLETE):
        task = data(ann.graphql(step, input={"id": task["id"]}))["next"]
        found.append(tally(ann, series_id))
    keep_one = {"rrule": rule, "timezone": "UTC"}
    data(ann.graphql(CHANGE, input={"id": series_id, "recurrence": keep_one}))
    task, late = data(complete(ann, task["id"]))["next"], task

    assert found == [(1, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]
    assert tally(ann, series_id) == (0, 4 / 8)  # 6 to 9 January are missed, the 10th is next
    data(ann.graphql(UNDO, id=last_change(ann, late["id"])["id"]))
    assert tally(ann, series_id) == (3, 1.0)


OF_SERIES = "{ changes { nodes { kind taskId seriesId fields } } }"


def test_the_feed_tells_what_becomes_of_each_series(ann):
    def told():
        nodes = data(ann.graphql(OF_SERIES))["nodes"]
        return [
            (each["kind"], each["taskId"], each["fields"])
            for each in nodes
            if each["seriesId"] == series_id
        ]

    task = ann.create(title="x", dueAt=DUE)["id"]
    rule = {"rrule": "FREQ=DAILY;COUNT=2", "timezone": "UTC"}
    begun = data(ann.graphql(UPDATE, input={"id": task, "recurrence": rule}))["task"]
    series_id = begun["series"]["id"]
    other = {**rule, "missed": "SKIP", "timezone": "Europe/Berlin"}
    data(ann.graphql(CHANGE, input={"id": series_id, "recurrence": other}))
    following = data(complete(ann, task))["next"]["id"]
    data(complete(ann, following))  # the last one

    data(ann.graphql(UNDO, id=last_change(ann, following)["id"]))

    assert told() == [
        ("SERIES_CREATED", task, []),
        ("SERIES_UPDATED", task, ["timezone", "missed"]),
        ("SERIES_ENDED", following, []),
        ("SERIES_UPDATED", following, []),
    ]
    task = recurring(ann)
    series_id = task["series"]["id"]
    ann.rest("DELETE", f"/api/v1/tasks/{task['id']}")
    assert [kind for kind, *_ in told()] == ["SERIES_CREATED", "SERIES_ENDED"]
    deleted = data(ann.graphql("{ changes { nodes { id } } }"))["nodes"][-1]["id"]
    data(ann.graphql(UNDO, id=deleted))
    assert [kind for kind, *_ in told()][2:] == ["SERIES_UPDATED"]
    assert data(complete(ann, task["id"]))["next"] is not None
    task = recurring(ann)
    series_id = task["series"]["id"]
    data(ann.graphql(END, input={"id": series_id}))
    assert [kind for kind, *_ in told()] == ["SERIES_CREATED", "SERIES_ENDED"]


def test_bulk_writes_begin_close_and_end_series_as_single_ones_do(ann):
    rule = {"rrule": "FREQ=DAILY", "timezone": "UTC"}
    many = """mutation ($t: [CreateTaskInput!]!) { createTasks(input: {tasks: $t}) {
      results { task { id } error { code field } } } }"""
    fields = [
        {"title": "timed", "dueAt": DUE, "recurrence": rule},
        {"title": "bad", "dueAt": DUE, "recurrence": {"rrule": "FREQ=HOURLY"}},
        {"title": "day", "dueOn": "2090-03-20", "recurrence": rule},
    ]
    results = data(ann.graphql(many, t=fields))["results"]
    ids = [each["task"] and each["task"]["id"] for each in results]
    done = {"status": "COMPLETED"}
    changes = [{"id": ids[0], **done}, {"id": ids[2], "recurrence": None}]
    data(ann.graphql(BULK, t=changes))

    assert results[1]["error"] == {"code": "BAD_USER_INPUT", "field": "rrule"}
    assert {task["title"]: task["dueAt"] for task in open_tasks(ann)} == {
        "timed": "2090-03-21T08:00:00.000Z",
        "day": None,
    }
    assert data(complete(ann, ids[2]))["next"] is None


MONTHLY = {"rrule": "FREQ=MONTHLY", "timezone": "UTC"}


@pytest.mark.parametrize("way", ["updateSeries", "updateTask"])
def test_a_series_of_the_31st_stays_so_when_it_is_changed_in_a_shorter_month(ann, way):
    task = recurring(ann, "FREQ=MONTHLY", "2090-01-31T08:00:00.000Z", zone="UTC")
    february = data(complete(ann, task["id"]))["next"]
    rule = {**MONTHLY, "exDates": ["2090-04-30"]}
    if way == "updateSeries":
        data(ann.graphql(CHANGE, input={"id": task["series"]["id"], "recurrence": rule}))
    else:
        data(ann.graphql(UPDATE, input={"id": february["id"], "recurrence": rule}))

    series = data(ann.graphql(GET, id=february["id"]))["series"]

    assert [each["on"] for each in series["upcoming"]] == ["2090-03-31", "2090-05-31", "2090-06-30"]


def test_sending_its_rule_again_changes_nothing_of_an_occurrence_that_was_moved(ann):
    task = recurring(ann, "FREQ=WEEKLY;BYDAY=MO")
    data(ann.graphql(UPDATE, input={"id": task["id"], "dueAt": "2090-03-22T12:00:00Z"}))
    rule = {"rrule": "FREQ=WEEKLY;BYDAY=MO", "timezone": "Europe/Berlin"}

    sent = data(ann.graphql(UPDATE, input={"id": task["id"], "title": "x", "recurrence": rule}))

    assert (sent["task"]["title"], sent["task"]["version"]) == ("x", 3)
    assert sent["task"]["series"]["version"] == 1
    assert data(complete(ann, task["id"]))["next"]["dueAt"] == "2090-03-27T07:00:00.000Z"


def test_closing_late_with_many_subtasks_fits_into_one_transaction(ann):
    task = recurring(ann, "FREQ=DAILY", "2020-01-01T09:00:00Z", zone="UTC")
    some = [{"title": "x", "parentId": task["id"], "status": "COMPLETED"}] * 20
    made = ann.graphql(CREATE_SOME, t=some)["data"]["createTasks"]["results"]
    assert [each["error"] for each in made] == [None] * 20

    data(complete(ann, task["id"]))

    told = [status for _, status in past(ann, task["series"]["id"])]
    assert told == ["MISSED"] * 25  # of fifty, a page: closed subtasks need no checks
    undone = ann.graphql(UNDO, id=last_change(ann, task["id"])["id"])
    assert data(undone)["task"]["status"] == "PENDING"


CREATE_SOME = """mutation ($t: [CreateTaskInput!]!) {
  createTasks(input: {tasks: $t}) { results { error { code } } } }"""


@pytest.mark.parametrize(("policy", "age"), [("SKIP", 0), ("KEEP_ONE", 1), ("KEEP_ALL", None)])
def test_a_series_that_is_a_century_late_comes_to_today(ann, policy, age):
    task = recurring(ann, "FREQ=DAILY", "1900-01-02T00:00:00Z", zone="UTC", missed=policy)
    first = clock.now().date()
    following = data(complete(ann, task["id"]))["next"]["dueAt"][:10]
    days = {first, clock.now().date()}

    expected = {date(1900, 1, 3)} if age is None else {day + timedelta(1 - age) for day in days}
    assert date.fromisoformat(following) in expected
    assert len(past(ann, task["series"]["id"])) == (1 if age is None else 25)  # of 51, a page
