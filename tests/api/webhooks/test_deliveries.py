"""From a write to a signed message at its receiver."""

import pytest
from webhook_world import World, world


@pytest.fixture
def hooks(engine):
    with world(engine) as there:
        yield there


@pytest.fixture
def ann(hooks: World):
    return hooks.api.register("ann")


@pytest.fixture(autouse=True)
def neighbour(hooks: World):
    """Somebody else with a webhook, who must never hear of anybody's tasks."""
    eve = hooks.api.register("eve")
    hooks.create(eve, "/eve")
    yield eve
    assert "/eve" not in {message.path for message in hooks.receiver.messages}


def test_a_write_is_posted_signed_and_thin(hooks, ann):
    webhook = hooks.create(ann)
    task = ann.create(title="Water the plants", priority="HIGH")

    hooks.dispatch()

    [message] = hooks.receiver.messages
    assert message.is_signed_by(webhook["secret"])
    payload = message.payload
    [change] = ann.graphql("{ changes { nodes { id at kind } } }")["data"]["changes"]["nodes"]
    assert message.id == change["id"]
    assert payload == {
        "type": "TASK_CREATED",
        "timestamp": change["at"],
        "data": {
            "taskId": task["id"],
            "version": 1,
            "fields": ["title", "priority"],
            "cursor": payload["data"]["cursor"],
        },
    }
    after = ann.graphql(
        "query ($after: String) { changes(after: $after) { nodes { id } } }",
        after=payload["data"]["cursor"],
    )
    assert after["data"]["changes"]["nodes"] == [{"id": change["id"]}]
