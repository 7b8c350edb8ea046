"""Lists by urgency through both entries."""

import secrets
from datetime import datetime, timedelta

import pytest
from conftest import TASKS, UPDATE, Api, codes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api import clock
from graphql_api.clock import text
from graphql_api.domain.changes import feed, store
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.tasks import ranking

MOST, LEAST = ({"field": "URGENCY", "direction": direction} for direction in ("DESC", "ASC"))
URGENCY = "urgency { score terms { name coefficient value contribution } asOf }"
BY_URGENCY = f"""
  query ($first: Int, $after: String, $orderBy: TaskOrder, $filter: TaskFilter) {{
    tasks(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {{
      nodes {{ id title {URGENCY} }} pageInfo {{ hasNextPage endCursor }} isComplete totalCount
    }}
  }}
"""
ADD = """
  mutation ($input: BlockersInput!) { addBlockers(input: $input) { task { urgency { score } } } }
"""
SET = """
  mutation ($input: UpdateSettingsInput!) {
    updateSettings(input: $input) { settings { urgencyCoefficients { due next priorityLow } } }
  }
"""


def listed(person, order=MOST, **variables):
    return person.graphql(BY_URGENCY, orderBy=order, **variables)["data"]["tasks"]


def titles(page):
    return [node["title"] for node in page["nodes"]]


def block(person, task, *blockers):
    given_ = {"taskId": task["id"], "blockerIds": [blocker["id"] for blocker in blockers]}
    assert "errors" not in person.graphql(ADD, input=given_)


def from_now(**delta):
    return text(clock.now() + timedelta(**delta))


def test_the_most_urgent_open_tasks_come_first_and_say_why(ann, calls):
    ann.create(title="plain")
    ann.create(title="done", status="COMPLETED", dueAt=from_now(days=-9))
    ann.create(title="late", dueAt=from_now(days=-9))
    ann.create(title="low", priority="LOW")
    calls.clear()

    page = listed(ann)

    assert calls == ["Query", "GetItem", "GetItem", "BatchGetItem"]
    assert titles(page) == ["late", "plain", "low"]
    assert (page["totalCount"], page["isComplete"]) == (3, True)
    late, plain, _ = (node["urgency"] for node in page["nodes"])
    assert late == {
        "score": 15.9,
        "terms": [
            {"name": "due", "coefficient": 12.0, "value": 1.0, "contribution": 12.0},
            {"name": "priorityMedium", "coefficient": 3.9, "value": 1.0, "contribution": 3.9},
        ],
        "asOf": plain["asOf"],
    }
    assert titles(listed(ann, LEAST)) == ["low", "plain", "late"]
    assert titles(listed(ann, filter={"priority": ["LOW", "MEDIUM"], "dueAfter": None})) == [
        "late",
        "plain",
        "low",
    ]
    assert titles(listed(ann, filter={"status": ["COMPLETED"]})) == []


def test_what_blocks_inherits_and_comes_before_what_waits(ann):
    late = ann.create(title="late", dueAt=from_now(days=-9))
    blocker = ann.create(title="blocker", priority="LOW")
    block(ann, late, blocker)

    page = listed(ann)

    assert titles(page) == ["blocker", "late"]
    assert [node["urgency"]["score"] for node in page["nodes"]] == [10.91, 10.9]
    assert page["nodes"][0]["urgency"]["terms"][-1] == {
        "name": "inherited",
        "coefficient": 1.0,
        "value": 1.11,
        "contribution": 1.11,
    }
    assert titles(listed(ann, filter={"ready": True})) == ["blocker"]


def test_one_task_tells_its_urgency_in_rest_too(ann, calls):
    blocker, late = ann.create(title="a"), ann.create(title="b", dueAt=from_now(days=-9))
    block(ann, late, blocker)
    ann.rest("PUT", f"/api/v1/tasks/{late['id']}", json={"status": "in_progress"})
    calls.clear()

    rest = ann.rest("GET", f"/api/v1/tasks/{blocker['id']}/urgency").json

    assert calls == ["GetItem"] * 4  # the task, the dependencies, the settings, what waits
    assert rest["task_id"] == blocker["id"]
    assert rest["urgency"]["score"] == 14.91
    assert [term["name"] for term in rest["urgency"]["terms"]] == [
        "priority_medium",
        "blocking",
        "inherited",
    ]
    assert (
        rest["urgency"]["terms"][0]["name"]
        in ann.rest("GET", "/api/v1/settings").json["urgency_coefficients"]
    )
    query = f"query ($id: ID!) {{ task(id: $id) {{ {URGENCY} }} }}"
    graphql = ann.graphql(query, id=blocker["id"])["data"]["task"]["urgency"]
    assert graphql["terms"] == [
        {**term, "name": {"priority_medium": "priorityMedium"}.get(term["name"], term["name"])}
        for term in rest["urgency"]["terms"]
    ]
    assert ann.rest("GET", "/api/v1/tasks/x/urgency").status_code == 404


def test_coefficients_are_the_users_own(ann, neighbour):
    ann.create(title="low", priority="LOW")
    ann.create(title="next", tags=["next"])
    assert titles(listed(ann)) == ["next", "low"]

    answer = ann.graphql(SET, input={"urgencyCoefficients": {"priorityLow": 50, "next": -1.5}})

    assert answer["data"]["updateSettings"]["settings"] == {
        "urgencyCoefficients": {"due": 12.0, "next": -1.5, "priorityLow": 50.0}
    }
    assert titles(listed(ann)) == ["low", "next"]
    rest = ann.rest(
        "PUT", "/api/v1/settings", json={"urgency_coefficients": {"priority_low": None}}
    )
    assert rest.json["urgency_coefficients"]["priority_low"] == 1.8
    assert rest.json["urgency_coefficients"]["next"] == -1.5
    ann.rest("PUT", "/api/v1/settings", json={"urgency_coefficients": None})
    assert titles(listed(ann)) == ["next", "low"]
    theirs = neighbour.rest("GET", "/api/v1/settings").json["urgency_coefficients"]
    assert theirs["next"] == 15.0


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("coefficients", "field"),
    [
        ({"due": 101}, "due"),
        ({"priorityLow": -100.5}, "priorityLow"),
        ({"due": "much"}, "due"),
        ({"nope": 1}, "nope"),
        ([1], "urgencyCoefficients"),
    ],
)
def test_impossible_coefficients_are_refused_by_field(ann, coefficients, field):
    names = {"priorityLow": "priority_low", "urgencyCoefficients": "urgency_coefficients"}
    in_rest = (
        {names.get(name, name): value for name, value in coefficients.items()}
        if isinstance(coefficients, dict)
        else coefficients
    )

    graphql = ann.graphql(SET, input={"urgencyCoefficients": coefficients})
    rest = ann.rest("PUT", "/api/v1/settings", json={"urgency_coefficients": in_rest})

    assert {error["extensions"]["field"] for error in graphql["errors"]} == {field}
    assert set(codes(graphql)) == {"BAD_USER_INPUT"}
    assert (rest.status_code, rest.json["field"]) == (400, names.get(field, field))
    assert ann.rest("GET", "/api/v1/settings").json["urgency_coefficients"]["due"] == 12.0


# Pages


@pytest.fixture(scope="module")
def crowd(app):
    """Somebody with many different tasks, some of which wait for others."""
    person = Api(app.test_client()).register("crowd")
    tasks = [
        person.create(
            title=f"{number}",
            status=["PENDING", "IN_PROGRESS", "PENDING", "COMPLETED"][number % 4],
            priority=["LOW", "MEDIUM", "HIGH"][number % 3],
            dueAt=from_now(days=number - 15) if number % 5 else None,
            tags=["a"] if number % 2 else ["b", "next"][: number % 3],
        )
        for number in range(30)
    ]
    for number in range(0, 27, 3):
        block(person, tasks[number], tasks[number + 1], tasks[number + 2])
    return person


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["PENDING", "IN_PROGRESS", "COMPLETED"]), max_size=2),
        "priority": st.lists(st.sampled_from(["LOW", "HIGH"]), max_size=2),
        "tags": st.lists(st.sampled_from(["a", "next", "nope"]), max_size=2),
        "dueBefore": st.integers(-9, 9).map(lambda days: from_now(days=days)),
        "dueAfter": st.integers(-9, 9).map(lambda days: from_now(days=days)),
        "search": st.sampled_from(["", "1"]),
        "ready": st.booleans(),
    },
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    only=FILTERS, order=st.sampled_from([MOST, LEAST]), size=st.integers(1, 12), back=st.booleans()
)
def test_all_pages_together_are_what_matches_by_urgency(crowd, only, order, size, back):
    plain = crowd.graphql(TASKS, filter=only, first=100)["data"]["tasks"]["nodes"]
    matching = {node["id"] for node in plain if node["status"] in {"PENDING", "IN_PROGRESS"}}
    seen, cursor = [], None

    while True:
        window = {"last": size, "before": cursor} if back else {"first": size, "after": cursor}
        page = crowd.graphql(TASKS, filter=only, orderBy=order, **window)["data"]["tasks"]
        ids = [node["id"] for node in page["nodes"]]
        seen = ids + seen if back else seen + ids
        assert (page["totalCount"], page["isComplete"]) == (len(matching), True)
        if not page["pageInfo"]["hasPreviousPage" if back else "hasNextPage"]:
            break
        assert len(ids) == size
        cursor = page["pageInfo"]["startCursor" if back else "endCursor"]

    every = listed(crowd, order, first=100)["nodes"]
    scores = [node["urgency"]["score"] for node in every]
    assert scores == sorted(scores, reverse=order is MOST)
    assert seen == [node["id"] for node in every if node["id"] in matching]


def test_the_pages_of_one_listing_are_as_of_one_instant(ann, monkeypatch):
    ann.create(title="growing", dueAt=from_now(days=13), priority="LOW")
    ann.create(title="steady", priority="HIGH")
    first = listed(ann, first=1)

    class InTwoWeeks(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(days=14)

    monkeypatch.setattr(clock, "datetime", InTwoWeeks)
    second = listed(ann, first=1, after=first["pageInfo"]["endCursor"])
    anew = listed(ann)

    assert titles(first) + titles(second) == ["steady", "growing"]
    assert titles(anew) == ["growing", "steady"]
    [one], [other] = first["nodes"], second["nodes"]
    assert one["urgency"]["asOf"] == other["urgency"]["asOf"] != anew["nodes"][0]["urgency"]["asOf"]
    assert second["pageInfo"]["hasNextPage"] is False


def test_a_cursor_of_one_direction_is_not_one_of_the_other(ann):
    for title in "abc":
        ann.create(title=title)
    cursor = listed(ann, first=1)["pageInfo"]["endCursor"]

    assert codes(ann.graphql(BY_URGENCY, orderBy=LEAST, after=cursor)) == ["BAD_USER_INPUT"]
    assert codes(ann.graphql(BY_URGENCY, after=cursor)) == ["BAD_USER_INPUT"]


def test_a_list_beyond_the_bound_says_so(ann, monkeypatch):
    monkeypatch.setattr(ranking, "MAX_RANKED", 5)
    for number in range(7):
        ann.create(title=f"{number}", priority="LOW" if number else "URGENT")

    whole, part = listed(ann), listed(ann, first=3)
    rest = ann.rest("GET", "/api/v1/tasks?sort=-urgency")
    few = ann.rest("GET", "/api/v1/tasks?sort=-urgency&limit=3")

    assert titles(whole) == ["2", "3", "4", "5", "6"]
    assert (whole["isComplete"], part["isComplete"], part["totalCount"]) == (False, False, 7)
    assert part["pageInfo"]["hasNextPage"] is True
    assert ([task["title"] for task in rest.json], rest.headers.get("X-Incomplete")) == (
        titles(whole),
        "true",
    )
    assert "X-Incomplete" not in few.headers


def test_rest_pages_by_urgency_follow_their_links(ann):
    for number in range(30):
        ann.create(title=f"{number}", dueAt=from_now(days=number))
    seen, sizes, url = [], [], "/api/v1/tasks?sort=-urgency"

    while url:
        answer = ann.rest("GET", url)
        seen += [task["title"] for task in answer.json]
        sizes.append(len(answer.json))
        link = answer.headers.get("Link")
        url = link.removeprefix("<").removesuffix('>; rel="next"') if link else None

    assert seen == titles(listed(ann, first=30))
    assert sizes == [25, 5]


def test_paging_by_urgency_loses_nothing_when_others_come_and_go(ann):
    tasks = [ann.create(title=f"{n}", dueAt=from_now(days=n)) for n in range(6)]
    page = listed(ann, first=2)

    ann.create(title="new", dueAt=from_now(days=-9))
    ann.rest("DELETE", f"/api/v1/tasks/{tasks[1]['id']}")  # the one that the cursor points at
    ann.graphql(UPDATE, input={"id": tasks[3]["id"], "status": "COMPLETED"})
    rest = listed(ann, after=page["pageInfo"]["endCursor"])

    assert titles(page) == ["0", "1"]
    assert titles(rest) == ["2", "4", "5"]


# What is changed between two pages


REMOVE = "mutation ($input: BlockersInput!) { removeBlockers(input: $input) { task { id } } }"
UNDO = "mutation ($input: UndoChangeInput!) { undoChange(input: $input) { task { id } } }"


def graphql_pages(person, size, between):
    """The titles of each page by urgency, with something done between two pages."""
    pages, cursor = [], None
    while True:
        page = listed(person, first=size, after=cursor)
        assert page["isComplete"] is True
        pages.append(titles(page))
        if not page["pageInfo"]["hasNextPage"]:
            return pages
        cursor = page["pageInfo"]["endCursor"]
        between()


def rest_pages(person, size, between):
    pages, url = [], f"/api/v1/tasks?sort=-urgency&limit={size}"
    while True:
        answer = person.rest("GET", url)
        assert "X-Incomplete" not in answer.headers
        pages.append([task["title"] for task in answer.json])
        link = answer.headers.get("Link")
        if link is None:
            return pages
        url = link.removeprefix("<").removesuffix('>; rel="next"')
        between()


def once(*changes):
    """Make these changes at the first call, and nothing at later ones."""
    left = [changes]
    return lambda: [change() for change in (left.pop() if left else ())]


@pytest.mark.parametrize("pages", [graphql_pages, rest_pages])
def test_a_task_that_is_lowered_or_raised_between_two_pages_comes_once(ann, pages):
    priorities = {"a": "URGENT", "b": "URGENT", "c": "HIGH", "d": "HIGH", "e": "LOW", "f": "LOW"}
    tasks = {title: ann.create(title=title, priority=it) for title, it in priorities.items()}

    def change(title, **fields):
        return lambda: ann.graphql(UPDATE, input={"id": tasks[title]["id"], **fields})

    lowered, raised = change("a", priority="LOW"), change("f", priority="URGENT", tags=["next"])
    assert pages(ann, 2, once(lowered, raised)) == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert [title for page in pages(ann, 9, once()) for title in page] == list("fbcdae")
    due = (change("b", dueOn="2020-01-01"), change("b", dueOn="2030-01-01"))
    assert pages(ann, 3, once(*due)) == [["f", "b", "c"], ["d", "a", "e"]]
    assert titles(listed(ann))[:2] == ["f", "b"]


@pytest.mark.parametrize("pages", [graphql_pages, rest_pages])
def test_what_others_did_to_its_blockers_moves_no_task_between_two_pages(ann, pages):
    first, second, third, last = (ann.create(title=title) for title in "abcd")
    block(ann, last, first)
    block(ann, third, second)

    def closed():
        ann.graphql(UPDATE, input={"id": first["id"], "status": "COMPLETED"})  # d is free now
        ann.rest("DELETE", f"/api/v1/tasks/{third['id']}")  # and nothing waits for b

    assert pages(ann, 1, once(closed)) == [["a"], ["b"], ["d"]]
    assert titles(listed(ann)) == ["b", "d"]


@pytest.mark.parametrize("pages", [graphql_pages, rest_pages])
def test_a_blocker_that_goes_on_to_the_next_occurrence_keeps_its_place(ann, pages):
    daily = {"dueAt": "2030-01-01T09:00:00Z", "recurrence": {"rrule": "FREQ=DAILY"}}
    first = ann.create(title="a", **daily)
    waiting = ann.create(title="b", **daily)
    block(ann, waiting, first)
    ann.create(title="c", priority="URGENT")

    def skipped():
        ann.graphql(UPDATE, input={"id": waiting["id"], "status": "CANCELLED"})

    assert pages(ann, 1, once(skipped)) == [["a"], ["c"], ["b"]]
    assert titles(listed(ann)) == ["a", "c", "b"]


def test_a_new_task_keeps_the_place_that_it_came_to(ann):
    for title in "abc":
        ann.create(title=title, priority="HIGH")
    page = listed(ann, first=1)
    made = ann.create(title="new")
    after = page["pageInfo"]["endCursor"]
    seen = []
    while after:
        page = listed(ann, first=1, after=after)
        seen += titles(page)
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        if seen[-1] == "new":
            ann.graphql(UPDATE, input={"id": made["id"], "priority": "LOW"})
        else:
            ann.graphql(UPDATE, input={"id": made["id"], "priority": "URGENT"})

    assert seen == ["b", "c", "new"]


def test_a_page_shows_the_urgency_that_a_changed_task_has_now(ann):
    for title in "ab":
        ann.create(title=title)
    page = listed(ann, first=1)
    [other] = [node for node in listed(ann)["nodes"] if node["title"] == "b"]
    ann.graphql(UPDATE, input={"id": other["id"], "priority": "URGENT"})

    [node] = listed(ann, first=1, after=page["pageInfo"]["endCursor"])["nodes"]

    assert (node["title"], node["urgency"]["score"]) == ("b", 8.1)
    assert node["urgency"]["asOf"] == page["nodes"][0]["urgency"]["asOf"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("LOW", "URGENT", "done", "open", "next", "due", "day"),
                *("block", "free", "gone", "back", "new"),
            ]
        ),
        st.integers(0, 6),
        st.integers(0, 6),
    ),
    max_size=3,
)


class Meddler:
    """Changes somebody's tasks, and notes of which it is not the same any more."""

    def __init__(self, person):
        self.person, self.touched, self.gone = person, set(), []
        made = [
            {"title": f"{n}", "priority": ["LOW", "HIGH", "URGENT"][n % 3], "tags": ["a"] * (n % 2)}
            for n in range(7)
        ]
        query = """mutation ($input: CreateTasksInput!) {
          createTasks(input: $input) { results { task { id } } } }"""
        results = person.graphql(query, input={"tasks": made})["data"]["createTasks"]["results"]
        self.ids = [result["task"]["id"] for result in results]

    def do(self, what, first, second):
        task_id, other = self.ids[first], self.ids[second]
        fields = {
            "LOW": {"priority": "LOW"},
            "URGENT": {"priority": "URGENT"},
            "done": {"status": "COMPLETED"},
            "open": {"status": "PENDING"},
            "next": {"tags": ["next"]},
            "due": {"dueAt": from_now(days=second - 3)},
            "day": {"dueOn": "2030-01-01" if second % 2 else None},
        }
        if what in fields:
            self.touched.add(f"{first}")
            self.person.graphql(UPDATE, input={"id": task_id, **fields[what]})
        elif what in {"block", "free"}:  # of which the task itself is not changed
            query = ADD if what == "block" else REMOVE
            self.person.graphql(query, input={"taskId": task_id, "blockerIds": [other]})
        elif what == "gone":
            self.touched.add(f"{first}")
            self.person.rest("DELETE", f"/api/v1/tasks/{task_id}")
        elif what == "back":
            changes = self.person.graphql("{ changes(first: 100) { nodes { id kind } } }")
            for node in changes["data"]["changes"]["nodes"][-5:]:
                if node["kind"] == "TASK_DELETED":
                    self.person.graphql(UNDO, input={"changeId": node["id"]})
        else:
            self.person.create(title=f"new {first}{second}{len(self.touched)}")


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.engine_is_no_matter
@given(before=STEPS, between=st.lists(STEPS, min_size=1, max_size=4), size=st.integers(1, 3))
def test_between_pages_no_task_comes_twice_and_none_unchanged_is_missed(app, before, between, size):
    person = Api(app.test_client()).register(f"meddled-{secrets.token_hex(4)}")
    meddler = Meddler(person)
    for step in before:
        meddler.do(*step)
    left = iter(between)
    meddler.touched.clear()
    opened = set(titles(listed(person, first=100)))

    pages = graphql_pages(person, size, lambda: [meddler.do(*step) for step in next(left, ())])

    seen = [title for page in pages for title in page]
    assert len(seen) == len(set(seen))
    assert opened - meddler.touched <= set(seen)


@pytest.mark.parametrize(
    ("module", "name", "bound"),
    [(store, "MAX_PAGE", 2), (feed, "LOOK_BACK", timedelta(0))],
    ids=["too many changes", "too long ago"],
)
def test_a_page_of_which_nobody_can_tell_what_was_before_says_so(
    ann, monkeypatch, module, name, bound
):
    tasks = [ann.create(title=title, priority="HIGH") for title in "abc"]
    page = listed(ann, first=1)
    for _ in range(2):
        ann.graphql(UPDATE, input={"id": tasks[0]["id"], "priority": "LOW"})
        ann.graphql(UPDATE, input={"id": tasks[0]["id"], "priority": "MEDIUM"})
    monkeypatch.setattr(module, name, bound)

    rest = listed(ann, after=page["pageInfo"]["endCursor"])

    assert (titles(rest), rest["isComplete"], rest["totalCount"]) == (["b", "c", "a"], False, 3)


# What it costs


def test_a_later_page_costs_a_look_at_what_was_changed(ann, calls):
    tasks = [ann.create(title=title) for title in "abcde"]
    block(ann, tasks[4], tasks[0])
    after = listed(ann, first=1)["pageInfo"]["endCursor"]
    expected = ["Query", "GetItem", "GetItem", "Query", "BatchGetItem"]

    def cost():
        calls.clear()
        assert listed(ann, first=2, after=after)["isComplete"] is True
        # Shortly before midnight, changes may be dated to the next day already.
        return [call for n, call in enumerate(calls) if call != "Query" or calls[n - 1] != "Query"]

    unchanged = cost()
    ann.graphql(UPDATE, input={"id": tasks[3]["id"], "priority": "HIGH"})
    changed = cost()
    ann.graphql(UPDATE, input={"id": tasks[4]["id"], "status": "CANCELLED"})  # which waits for a
    closed = cost()

    assert (unchanged, changed) == (expected, expected)
    assert closed == ["Query", "GetItem", "GetItem", "Query", "GetItem", "BatchGetItem"]


def test_the_urgency_of_a_page_is_read_at_once(app, ann, calls):
    waiting = [ann.create(title=f"{number}") for number in range(10)]
    blockers = [ann.create(title=f"{number}") for number in range(10)]
    ids = [[task["id"] for task in tasks] for tasks in (waiting, blockers)]
    store = DependencyStore(app.extensions["database"])
    made = Dependencies(
        user_id=ann.id,
        blockers={a: (b,) for a, b in zip(*ids, strict=True)},
        closed=(),
        version=1,
    )
    app.extensions["database"].transact(store.action(store.get(ann.id), made))

    def cost(query):
        calls.clear()
        assert "errors" not in ann.graphql(query)
        return list(calls)

    page = "{ tasks(first: 10) { nodes { %s } } }"
    around = ["GetItem", "GetItem", "BatchGetItem"]
    assert sorted(cost(page % "urgency { score }")) == sorted(["Query", *around])
    assert sorted(cost(page % "blocks { urgency { score } }")) == sorted(["Query", *around])
    by_urgency = "orderBy: { field: URGENCY, direction: DESC }"
    ten = " ".join(f"a{n}: tasks({by_urgency}) {{ totalCount }}" for n in range(10))
    assert sorted(cost(f"{{ {ten} }}")) == sorted(["Query", *around])


def test_a_write_shows_the_urgency_that_it_has_made(ann):
    late = ann.create(title="late", dueAt=from_now(days=-9))
    twice = """
      mutation ($a: UpdateTaskInput!, $b: UpdateTaskInput!) {
        a: updateTask(input: $a) { task { urgency { score } } }
        b: updateTask(input: $b) { task { urgency { score } } }
      }
    """

    answer = ann.graphql(
        twice,
        a={"id": late["id"], "status": "IN_PROGRESS"},
        b={"id": late["id"], "status": "COMPLETED"},
    )

    assert [answer["data"][name]["task"]["urgency"]["score"] for name in "ab"] == [19.9, 0.0]
