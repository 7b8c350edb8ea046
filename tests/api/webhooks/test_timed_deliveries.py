"""What time brings is posted to webhooks as any other change."""

from datetime import timedelta

import pytest
from webhook_world import world

from graphql_api import clock
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.tasks.store import TaskStore


@pytest.fixture
def hooks(engine):
    with world(engine) as there:
        yield there


def test_a_webhook_gets_the_kinds_of_time_that_it_asks_for(hooks):
    ann = hooks.api.register("ann")
    hooks.create(ann, "/reminders", kinds=["REMINDER"])
    hooks.create(ann, "/all")
    due = clock.now() + timedelta(seconds=10)
    fields = {
        "dueAt": clock.text(due),
        "reminders": [{"at": clock.text(due - timedelta(seconds=1))}],
    }
    task = ann.create(title="Tea", **fields)
    tasks = TaskStore(hooks.database, ChangeStore(hooks.database, timedelta(days=30)))
    hooks.later(seconds=12)

    TimerDuty(TimerStore(hooks.database), tasks, 1, hooks.now).run(hooks.now())
    hooks.dispatch()

    by_path = {path: [] for path in ("/reminders", "/all")}
    for message in hooks.receiver.messages:
        by_path[message.path].append(message.payload["type"])
    assert by_path == {
        "/reminders": ["REMINDER"],
        "/all": ["TASK_CREATED", "REMINDER", "TASK_DUE", "TASK_OVERDUE"],
    }
    assert {message.task for message in hooks.receiver.messages} == {task["id"]}
