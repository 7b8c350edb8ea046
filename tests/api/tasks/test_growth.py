"""What a page costs does not grow with what lies beside it."""

import uuid

import pytest
from units import consumed, fill

pytestmark = pytest.mark.counts_units

PAGE = """
  query ($after: String, $orderBy: TaskOrder) {
    tasks(first: 25, after: $after, orderBy: $orderBy) {
      nodes { id title description owner { username } }
      pageInfo { hasNextPage endCursor }
    }
  }
"""
BY_DUE_DATE = {"field": "DUE_AT", "direction": "ASC"}


def test_a_page_of_25_costs_the_same_at_a_hundred_tasks_and_at_ten_thousand(app, ann):
    database = app.extensions["database"]
    raw = database.client

    def costs():
        """The calls behind a first page, the next one, one by due date and one task."""
        with consumed(database) as calls:
            page = ann.graphql(PAGE)["data"]["tasks"]
            after = page["pageInfo"]["endCursor"]
            pages = [
                page,
                ann.graphql(PAGE, after=after)["data"]["tasks"],
                ann.graphql(PAGE, orderBy=BY_DUE_DATE)["data"]["tasks"],
            ]
            assert ann.task(page["nodes"][0]["id"])["title"] == page["nodes"][0]["title"]
        assert [len(page["nodes"]) for page in pages] == [25] * 3
        assert all(page["pageInfo"]["hasNextPage"] for page in pages)
        return calls

    fill(raw, ann.id, range(100))
    few = costs()
    for _ in range(10):
        fill(raw, str(uuid.uuid4()), range(100))
    fill(raw, ann.id, range(100, 10_000))
    many = costs()

    assert [call.operation for call in few] == ["Query"] * 3 + ["GetItem"]
    assert all(call.reads > 0 for call in few)
    assert many == few
