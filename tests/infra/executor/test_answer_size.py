"""The size of an answer is bounded, however small the document is that asks for it."""

import pytest
from conftest import codes
from hypothesis import given
from hypothesis import strategies as st

import graphql_api.infra.executor.executor as executor_module
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.executor.answer_size import AnswerSize, written

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_written_is_at_most_as_long_as_allowed(value):
    length = len(written(value, 10**9))

    for limit in (length - 1, length, 2 * length + 100):
        try:
            assert len(written(value, limit)) <= limit
        except QueryTooComplex:
            assert length > limit or is_larger(value, limit)


def is_larger(value, limit):
    try:
        AnswerSize(limit).add(value)
    except QueryTooComplex:
        return True
    return False


def test_what_is_added_in_parts_counts_together():
    size = AnswerSize(5_000)
    size.add(["x" * 2_000])
    size.add(["x" * 2_000])

    with pytest.raises(QueryTooComplex, match="more than 5,000 bytes"):
        size.add(["x" * 2_000])


def test_a_text_counts_as_often_as_it_is_there():
    text = "x" * 1_000

    assert is_larger([text] * 10, 10_000)
    assert not is_larger([text] * 10, 10_100)


def aliased(field, count):
    return " ".join(f"a{number}: {field}" for number in range(count))


def test_a_small_document_cannot_get_a_large_answer(ann):
    tasks = [ann.create(title="x", description="\n" * 31_900) for _ in range(20)]
    blockers = [task["id"] for task in tasks[1:]]
    ann.graphql(
        "mutation ($id: ID!, $by: [ID!]!) {"
        " addBlockers(input: {taskId: $id, blockerIds: $by}) { task { id } } }",
        id=tasks[0]["id"],
        by=blockers,
    )
    query = (
        f"{{ tasks(first: 100) {{ nodes {{ blockedBy {{ {aliased('description', 14)} }} }} }} }}"
    )

    answer = ann.graphql(query)

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert "data" not in answer
    assert "more than 8,388,608 bytes" in answer["errors"][0]["message"]


def test_a_mutation_whose_answer_may_be_too_large_is_refused_before_it_writes(ann, calls):
    query = f"""mutation ($input: CreateTasksInput!) {{ createTasks(input: $input) {{
      results {{ task {{ {aliased("description", 15)} }} }} }} }}"""
    before = len(calls)

    answer = ann.graphql(query, input={"tasks": [{"title": "x"}]})

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert calls[before:] == []
    assert ann.graphql("{ tasks { totalCount } }")["data"]["tasks"]["totalCount"] == 0


def test_a_page_of_long_descriptions_is_given_as_it_is(ann):
    for _ in range(100):
        ann.create(title="x", description="y" * 30_000)

    answer = ann.graphql("{ tasks(first: 100) { nodes { title description } } }")

    assert answer["data"]["tasks"]["nodes"] == [{"title": "x", "description": "y" * 30_000}] * 100


@pytest.mark.parametrize(
    ("query", "long"),
    [
        ("{ viewer { username } }", False),
        ("{ tasks(first: 100) { nodes { id title status dueAt } } }", False),
        ("{ tasks { nodes { id blockedBy { id title status } } } }", False),
        (f"{{ tasks {{ nodes {{ {aliased('urgency { score }', 15)} }} }} }}", True),
        ("{ tasks { nodes { blockedBy { urgency { terms { name value } } } } } }", True),
    ],
)
def test_only_what_takes_long_is_done_in_a_thread(app, ann, monkeypatch, query, long):
    executor = app.extensions["executor"]
    asked = []
    bulkhead = executor._long_operations
    monkeypatch.setattr(bulkhead, "run_in_thread", lambda work: asked.append(1) or work())

    assert "errors" not in ann.graphql(query)
    assert bool(asked) is long
    assert executor_module.LONG_WORK == 6_000


def test_a_whole_list_by_rest_has_the_same_bound_and_its_pages_are_given(ann):
    for _ in range(140):
        ann.create(title="x", description="y" * 30_000)
    assert len(ann.rest("GET", "/api/v1/tasks").json) == 140

    for _ in range(140):
        ann.create(title="x", description="y" * 30_000)
    whole, page = ann.rest("GET", "/api/v1/tasks"), ann.rest("GET", "/api/v1/tasks?limit=100")

    assert (whole.status_code, whole.json["code"]) == (400, "QUERY_TOO_COMPLEX")
    assert "more than 8,388,608 bytes" in whole.json["detail"]
    assert (page.status_code, len(page.json)) == (200, 100)


def test_a_mutation_that_was_carried_out_is_answered_whatever_its_escapes_take(ann):
    ids = [ann.create(title="x", description="\n" * 31_900)["id"] for _ in range(100)]
    tasks = [{"id": task, "priority": "HIGH"} for task in ids]

    answer = ann.graphql(
        "mutation ($input: UpdateTasksInput!) { updateTasks(input: $input) {"
        " results { task { priority a: description b: description } } } }",
        input={"tasks": tasks},
    )

    results = answer["data"]["updateTasks"]["results"]
    assert [result["task"]["priority"] for result in results] == ["HIGH"] * 100
