"""Lists in orders that no index has."""

import pytest
from conftest import TASKS, Api, codes

from graphql_api.domain.tasks import list_reader

FIELDS = {
    "PRIORITY": lambda task: ["LOW", "MEDIUM", "HIGH", "URGENT"].index(task["priority"]),
    "TITLE": lambda task: task["title"].casefold(),
    "UPDATED_AT": lambda task: task["updatedAt"],
    "PLANNED_START": lambda task: task["plannedStart"],
    "COMPLETED_AT": lambda task: task["completedAt"],
}


@pytest.fixture(scope="module")
def shelf(app):
    """Somebody with tasks that differ in what they are sorted by, and share it."""
    person = Api(app.test_client()).register("shelf")
    for number in range(12):
        start = f"2030-01-0{number % 4 + 1}T00:00:00Z" if number % 3 else None
        person.create(
            title=["b", "B", "á", "z", "A"][number % 5] + str(number % 2),
            priority=["LOW", "MEDIUM", "HIGH", "URGENT"][number % 4],
            status="COMPLETED" if number % 4 == 1 else "PENDING",
            plannedStart=start,
            plannedEnd=start,
        )
    return person, person.graphql(TASKS, first=100)["data"]["tasks"]["nodes"]


def plain(tasks, field, direction):
    """The ids in this order, in plain Python."""
    descending = direction == "DESC"
    value = FIELDS[field]
    some = [task for task in tasks if value(task) is not None]
    none = [task for task in tasks if value(task) is None]
    some.sort(key=lambda task: (value(task), task["id"]), reverse=descending)
    none.sort(key=lambda task: task["id"], reverse=descending)
    return [task["id"] for task in some + none]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", FIELDS)
def test_pages_forward_and_backward_are_the_plain_answer(shelf, field, direction):
    person, tasks = shelf
    order = {"field": field, "direction": direction}
    ids = plain(tasks, field, direction)

    for backward in (False, True):
        seen, cursor = [], None
        while True:
            window = {"last": 5, "before": cursor} if backward else {"first": 5, "after": cursor}
            page = person.graphql(TASKS, orderBy=order, **window)["data"]["tasks"]
            nodes = [task["id"] for task in page["nodes"]]
            seen = nodes + seen if backward else seen + nodes
            cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]
            assert (page["totalCount"], page["isComplete"]) == (12, True)
            if not page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
                break
        assert seen == ids


def test_rest_has_the_same_orders_in_pages(shelf):
    person, tasks = shelf

    first = person.rest("GET", "/api/v1/tasks?sort=-priority&limit=7")
    rest = person.rest("GET", first.headers["Link"].partition(">")[0].strip("<"))

    assert [task["task_id"] for task in first.json + rest.json] == plain(tasks, "PRIORITY", "DESC")
    assert len(person.rest("GET", "/api/v1/tasks?sort=title").json) == 12


def test_what_is_written_between_two_pages_moves_no_other_task(ann):
    for title in "bdfhj":
        ann.create(title=title)
    order = {"field": "TITLE", "direction": "ASC"}
    page = ann.graphql(TASKS, first=2, orderBy=order)["data"]["tasks"]
    [first, second] = page["nodes"]
    ann.create(title="a")
    ann.create(title="e")
    ann.graphql(
        "mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId } }", id=second["id"]
    )

    after = page["pageInfo"]["endCursor"]
    rest = ann.graphql(TASKS, first=9, after=after, orderBy=order)["data"]["tasks"]
    back = ann.graphql(TASKS, last=9, before=after, orderBy=order)["data"]["tasks"]

    assert [task["title"] for task in rest["nodes"]] == ["e", "f", "h", "j"]
    assert [task["title"] for task in back["nodes"]] == ["a", "b"]
    assert back["nodes"][1] == first


def test_beyond_its_bound_a_list_has_the_newest_and_says_so(ann, monkeypatch):
    monkeypatch.setattr(list_reader, "MAX_SORTED", 2)
    for title in "abc":
        ann.create(title=title)

    page = ann.graphql(TASKS, orderBy={"field": "TITLE", "direction": "ASC"})["data"]["tasks"]

    assert [task["title"] for task in page["nodes"]] == ["b", "c"]
    assert (page["totalCount"], page["isComplete"]) == (3, False)


def test_a_page_takes_one_query_whatever_it_is_sorted_by(ann, calls):
    ann.create(title="x")
    calls.clear()

    query = "query ($by: TaskOrder) { tasks(orderBy: $by) { nodes { title } totalCount } }"
    ann.graphql(query, by={"field": "PRIORITY", "direction": "DESC"})

    assert calls == ["Query"]


def test_a_cursor_of_one_order_is_not_one_of_another(ann):
    for title in "ab":
        ann.create(title=title)
    by = [{"field": field, "direction": "ASC"} for field in ("TITLE", "PRIORITY")]
    page = ann.graphql(TASKS, first=1, orderBy=by[0])["data"]["tasks"]

    answer = ann.graphql(TASKS, after=page["pageInfo"]["endCursor"], orderBy=by[1])

    assert codes(answer) == ["BAD_USER_INPUT"]
