"""Lists: every page is full, and all pages together are the plain answer."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import TASKS, Api, codes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.api.graphql import context
from graphql_api.clock import text
from graphql_api.domain.tasks import list_reader
from graphql_api.infra.dynamodb import Table

UNCOUNTED = """
  query ($after: String, $filter: TaskFilter) {
    tasks(first: 2, after: $after, filter: $filter) {
      nodes { title } pageInfo { hasNextPage endCursor } isComplete
    }
  }
"""
DUE = datetime(2030, 1, 1, tzinfo=UTC)


def due(day):
    return None if day is None else text(DUE + timedelta(days=day))


@pytest.fixture(scope="module")
def crowd(app):
    """Somebody with many different tasks, in the order of their creation."""
    person = Api(app.test_client()).register("crowd")
    statuses = ["PENDING", "IN_PROGRESS", "COMPLETED", "CANCELLED"]
    tasks = [
        person.create(
            title=f"Task {number}" + (" Gemüse" if number % 7 == 0 else ""),
            description="mit SPARGEL" if number % 5 == 0 else "",
            status=statuses[number % 4],
            priority=["LOW", "MEDIUM", "HIGH", "URGENT"][number % 3],
            dueAt=due(None if number % 3 == 0 else number % 4),  # with equal dates
            tags=[tag for tag, every in (("a", 2), ("b", 3), ("c", 11)) if number % every == 0],
        )
        for number in range(40)
    ]
    return person, tasks


def expected(tasks, only, order):
    """What a list shows, in plain Python."""

    def matches(task):
        text = "\n".join([task["title"], task["description"], *task["tags"]]).casefold()
        return (
            ("status" not in only or task["status"] in only["status"])
            and ("priority" not in only or task["priority"] in only["priority"])
            and ("tags" not in only or set(only["tags"]) & set(task["tags"]))
            and ("dueBefore" not in only or (task["dueAt"] or "~") < only["dueBefore"])
            and ("dueAfter" not in only or (task["dueAt"] or "") >= only["dueAfter"])
            and all(word in text for word in only.get("search", "").casefold().split())
        )

    field, direction = order["field"], order["direction"]
    found = sorted(filter(matches, tasks), key=lambda task: task["id"])
    if field == "DUE_AT":
        found.sort(key=lambda task: task["dueAt"] or "")
    if direction == "DESC":
        found.reverse()
    if field == "DUE_AT":  # tasks without a due date come last, whichever way
        found.sort(key=lambda task: task["dueAt"] is None)
    return [task["id"] for task in found]


ORDERS = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["CREATED_AT", "DUE_AT"]),
        "direction": st.sampled_from(["ASC", "DESC"]),
    }
)
DAYS = st.integers(0, 4).map(due)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["PENDING", "COMPLETED", "CANCELLED"]), max_size=2),
        "priority": st.lists(st.sampled_from(["LOW", "HIGH", "URGENT"]), max_size=2),
        "tags": st.lists(st.sampled_from(["a", "b", "c", "nope"]), max_size=3),
        "dueBefore": DAYS,
        "dueAfter": DAYS,
        "search": st.sampled_from(["", "gemÜSE", "spargel", "task 1", "nope"]),
    },
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(only=FILTERS, order=ORDERS, size=st.integers(1, 45), backward=st.booleans())
def test_all_pages_together_are_the_plain_answer(crowd, only, order, size, backward):
    person, tasks = crowd
    plain = expected(tasks, only, order)
    seen: list[str] = []
    cursor = None

    while True:
        window = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = person.graphql(TASKS, filter=only, orderBy=order, **window)["data"]["tasks"]
        ids = [task["id"] for task in page["nodes"]]
        seen = ids + seen if backward else seen + ids
        more = page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
        assert page["totalCount"] == len(plain)
        assert page["isComplete"]
        assert [edge["node"]["id"] for edge in page["edges"]] == ids
        if not more:
            break
        assert len(ids) == size
        cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]

    assert seen == plain


def test_a_cursor_goes_on_where_its_page_ended(crowd):
    person, tasks = crowd
    newest_first = [task["id"] for task in reversed(tasks)]

    first = person.graphql(TASKS, first=10)["data"]["tasks"]
    info = first["pageInfo"]
    after = person.graphql(TASKS, first=10, after=info["endCursor"])["data"]["tasks"]
    middle = person.graphql(TASKS, first=2, after=first["edges"][4]["cursor"])["data"]["tasks"]
    back = person.graphql(TASKS, last=10, before=after["pageInfo"]["startCursor"])["data"]["tasks"]

    assert info == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][-1]["cursor"],
    }
    assert [task["id"] for task in after["nodes"]] == newest_first[10:20]
    assert after["pageInfo"]["hasPreviousPage"] is True
    assert [task["id"] for task in middle["nodes"]] == newest_first[5:7]
    assert back["nodes"] == first["nodes"]
    assert (back["pageInfo"]["hasPreviousPage"], back["pageInfo"]["hasNextPage"]) == (False, True)


def test_paging_neither_repeats_nor_loses_tasks_when_others_come_and_go(ann):
    ids = [ann.create(title=f"{number}")["id"] for number in range(9)]
    newest_first = ids[::-1]

    page = ann.graphql(TASKS, first=3)["data"]["tasks"]
    ann.create(title="new")
    ann.rest("DELETE", f"/api/v1/tasks/{newest_first[2]}")  # the one that the cursor points at
    ann.rest("DELETE", f"/api/v1/tasks/{newest_first[4]}")
    rest = ann.graphql(TASKS, first=50, after=page["pageInfo"]["endCursor"])["data"]["tasks"]

    assert [task["id"] for task in rest["nodes"]] == [newest_first[3], *newest_first[5:]]


def test_an_empty_list_is_a_page_without_cursors(ann):
    assert ann.graphql(TASKS)["data"]["tasks"] == {
        "nodes": [],
        "edges": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
        "totalCount": 0,
        "isComplete": True,
    }


def test_without_arguments_a_page_has_twenty_five(ann):
    for number in range(27):
        ann.create(title=f"{number}")

    page = ann.graphql("{ tasks { nodes { title } pageInfo { hasNextPage } } }")["data"]["tasks"]

    assert [task["title"] for task in page["nodes"]] == [str(n) for n in range(26, 1, -1)]
    assert page["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize("size", [0, -1, 101, 2**31 - 1])
@pytest.mark.parametrize("argument", ["first", "last"])
def test_a_page_of_impossible_size_is_refused_by_name(ann, calls, argument, size):
    answer = ann.graphql(TASKS, **{argument: size})

    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": argument}
    ]
    assert calls == []


def test_a_size_beyond_an_int_is_refused_by_name(ann):
    answer = ann.graphql(TASKS, first=2**31)

    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "first"}
    ]


def test_both_directions_at_once_are_refused(ann):
    assert codes(ann.graphql(TASKS, last=3, after="x")) == ["BAD_USER_INPUT"]


def test_a_cursor_of_another_list_is_refused(ann, neighbour, calls):
    for title in "abc":
        ann.create(title=title)
    cursor = ann.graphql(TASKS, first=1)["data"]["tasks"]["pageInfo"]["endCursor"]
    calls.clear()

    answers = [
        neighbour.graphql(TASKS, after=cursor),
        ann.graphql(TASKS, after=cursor, filter={"search": "x"}),
        ann.graphql(TASKS, after=cursor, orderBy={"field": "CREATED_AT", "direction": "ASC"}),
        ann.graphql(TASKS, after=cursor[:-1]),
        ann.graphql(TASKS, after=("B" if cursor[0] == "A" else "A") + cursor[1:]),
        ann.graphql(TASKS, after=""),
        ann.graphql(TASKS, after="{}"),
        ann.graphql(TASKS, after="é"),
        ann.graphql(TASKS, last=1, before=cursor + "=="),
        ann.graphql(TASKS, before=cursor),
    ]

    assert [error["extensions"] for answer in answers for error in answer["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "after"}
    ] * 8 + [{"code": "BAD_USER_INPUT", "field": "before"}] * 2
    assert calls == []


def test_a_search_for_something_rare_stops_at_the_bound_and_says_so(ann, monkeypatch):
    for number in range(30):
        ann.create(title="rare" if number in {0, 1} else "often")
    monkeypatch.setattr(context, "MAX_READ", 10)
    monkeypatch.setattr(list_reader, "MAX_QUERY", 5)

    seen, cursor, pages = [], None, 0
    while True:
        page = ann.graphql(UNCOUNTED, after=cursor, filter={"search": "rare"})["data"]["tasks"]
        seen += [task["title"] for task in page["nodes"]]
        pages += 1
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert page["isComplete"] is False
        cursor = page["pageInfo"]["endCursor"]

    assert seen == ["rare", "rare"]
    # Where the store cannot tell that it has just read the last item, an empty page says so.
    assert pages in {3, 4}
    assert page["isComplete"] is True


def test_the_bound_is_one_for_all_lists_of_a_request(ann, monkeypatch):
    for number in range(8):
        ann.create(title=f"{number}")
    monkeypatch.setattr(context, "MAX_READ", 10)
    lists = " ".join(f"a{n}: tasks(first: 5) {{ isComplete nodes {{ title }} }}" for n in range(3))

    pages = ann.graphql(f"{{ {lists} }}")["data"]

    assert [(len(page["nodes"]), page["isComplete"]) for page in pages.values()] == [
        (5, True),
        (5, True),
        (0, False),
    ]


def test_more_than_can_be_counted_in_a_request_is_refused(ann, monkeypatch):
    for number in range(30):
        ann.create(title=f"{number}")
    monkeypatch.setattr(context, "MAX_READ", 2)
    monkeypatch.setattr(list_reader, "MAX_COUNT_QUERY", 10)

    answer = ann.graphql("{ tasks(first: 1) { totalCount } }")

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]


def test_a_search_that_is_too_long_to_count_is_refused(ann, monkeypatch):
    for number in range(8):
        ann.create(title=f"{number}")
    monkeypatch.setattr(context, "MAX_READ", 5)
    monkeypatch.setattr(list_reader, "MAX_QUERY", 1)
    monkeypatch.setattr(list_reader, "MAX_COUNTED_ITEMS", 1)

    answer = ann.graphql('{ tasks(first: 1, filter: { search: "no" }) { totalCount } }')

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]


@pytest.mark.engine_is_no_matter
def test_a_search_reads_as_many_tasks_at_a_time_as_other_lists(ann, monkeypatch):
    """Some engines read all tasks of a user for each call."""
    limits, query = [], Table.query

    def noted(table, *given, **more):
        limits.append(more["limit"])
        return query(table, *given, **more)

    monkeypatch.setattr(Table, "query", noted)

    ann.graphql(UNCOUNTED.replace("first: 2", "first: 100"), filter={"search": "rare"})

    assert limits == [2 * (100 + 1)]


def test_rest_lists_all_of_a_rare_search_in_spite_of_the_bound(ann, monkeypatch):
    for number in range(30):
        ann.create(title="rare" if number in {0, 1} else "often")
    monkeypatch.setattr(context, "MAX_READ", 10)
    monkeypatch.setattr(list_reader, "MAX_QUERY", 5)

    assert [task["title"] for task in ann.rest("GET", "/api/v1/tasks?search=rare").json] == [
        "rare",
        "rare",
    ]


@pytest.mark.parametrize("order", ["CREATED_AT", "DUE_AT"])
@pytest.mark.parametrize("backward", [False, True])
def test_a_list_read_to_the_bound_can_be_read_on_to_its_end(crowd, monkeypatch, order, backward):
    person, tasks = crowd
    monkeypatch.setattr(context, "MAX_READ", 7)
    monkeypatch.setattr(list_reader, "MAX_QUERY", 4)
    ordering = {"field": order, "direction": "ASC"}
    only = {"tags": ["c"]}

    seen, cursor = [], None
    while True:
        window = {"last": 3, "before": cursor} if backward else {"first": 3, "after": cursor}
        page = person.graphql(TASKS, filter=only, orderBy=ordering, **window)["data"]["tasks"]
        ids = [task["id"] for task in page["nodes"]]
        seen = ids + seen if backward else seen + ids
        if not page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
            break
        cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]

    assert seen == expected(tasks, only, ordering)


def test_items_too_many_for_one_answer_of_the_store_still_fill_a_page(ann):
    for _ in range(40):
        ann.create(title="big", description="x" * 32_000)  # 40 of them are more than 1 MB

    page = ann.graphql(TASKS, first=40)["data"]["tasks"]

    assert len(page["nodes"]) == 40
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["totalCount"] == 40


# REST


def test_rest_lists_everything_as_a_bare_array(crowd):
    person, tasks = crowd

    answer = person.rest("GET", "/api/v1/tasks")

    assert [task["task_id"] for task in answer.json] == [task["id"] for task in reversed(tasks)]
    assert "Link" not in answer.headers


def test_rest_lists_more_than_one_page_of_graphql(ann):
    ids = [ann.create(title=f"{number}")["id"] for number in range(203)]

    assert [task["task_id"] for task in ann.rest("GET", "/api/v1/tasks").json] == ids[::-1]


def test_rest_pages_follow_their_links_to_the_end(crowd):
    person, tasks = crowd
    seen, url = [], "/api/v1/tasks?limit=15&sort=-due_at&status=pending,completed&tag=a&tag=b"

    while url:
        answer = person.rest("GET", url)
        seen += [task["task_id"] for task in answer.json]
        link = answer.headers.get("Link")
        url = link.removeprefix("<").removesuffix('>; rel="next"') if link else None

    order = {"field": "DUE_AT", "direction": "DESC"}
    only = {"status": ["PENDING", "COMPLETED"], "tags": ["a", "b"]}
    assert seen == expected(tasks, only, order)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("sort=due_at&sort=due_at", "sort"),
        ("limit=1&after=x", "after"),
        ("status=done", "status"),
        ("priority=x", "priority"),
        ("sort=size", "sort"),
        ("due_before=tomorrow", "due_before"),
        ("tags=home", "tags"),
        ("page=2", "page"),
    ],
)
def test_rest_refuses_a_list_that_cannot_be_by_name(ann, calls, query, field):
    answer = ann.rest("GET", f"/api/v1/tasks?{query}")

    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (
        400,
        "BAD_USER_INPUT",
        field,
    )
    assert calls == []


def test_a_tag_with_a_comma_can_be_asked_for_in_rest(ann):
    ann.create(title="x", tags=["a,b"])
    ann.create(title="y", tags=["a"])

    found = ann.rest("GET", "/api/v1/tasks", query_string={"tag": "a,b"}).json

    assert [task["title"] for task in found] == ["x"]


def test_a_status_asked_for_a_hundred_times_is_asked_for_once(ann):
    ann.create(title="x")

    page = ann.graphql(TASKS, filter={"status": ["PENDING"] * 101, "tags": None})["data"]["tasks"]

    assert [task["title"] for task in page["nodes"]] == ["x"]


# What a list cannot be made to cost


@pytest.mark.parametrize(
    "query",
    [
        "{ tasks { nodes { owner { tasks { totalCount } } } } }",
        "{ tasks { nodes { owner { sessions { id } } } } }",
        "{ viewer { tasks { nodes { owner { tasks { totalCount } } } } } }",
        "{ tasks { nodes { ...F } } } fragment F on Task { owner { tasks { totalCount } } }",
    ],
)
def test_a_list_within_a_list_is_refused(ann, calls, query):
    assert codes(ann.graphql(query)) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


def test_bulk_writes_are_refused_twice_in_one_request(ann, calls):
    twice = """
      mutation ($input: CreateTasksInput!) {
        a: createTasks(input: $input) { results { task { id } } }
        b: createTasks(input: $input) { results { task { id } } }
      }
    """

    assert codes(ann.graphql(twice, input={"tasks": [{"title": "x"}]})) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


def test_all_lists_of_a_request_together_are_bounded(ann, monkeypatch):
    for number in range(8):
        ann.create(title=f"{number}")
    monkeypatch.setattr(context, "MAX_LISTED", 20)
    lists = " ".join(f"a{n}: tasks(first: 8) {{ nodes {{ title }} }}" for n in range(3))

    assert codes(ann.graphql(f"{{ {lists} }}")) == ["QUERY_TOO_COMPLEX"]
