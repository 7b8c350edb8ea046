"""From a write to a signed message at its receiver."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from conftest import UPDATE as UPDATE_TASK
from units import consumed
from webhook_world import DELIVERIES, DELIVERY, UPDATE, World, world

from graphql_api import clock, ids
from graphql_api.api.graphql.webhooks.payload import Payloads
from graphql_api.domain.changes.model import SYSTEM, Change, ChangeKind
from graphql_api.domain.webhooks import delivery, duty, outbox
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.dynamodb.codec import Raw
from graphql_api.infra.outgoing.client import TimedOut

DELETE = "mutation ($id: ID!) { deleteWebhook(input: {id: $id}) { deletedWebhookId } }"
ROTATE = "mutation ($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }"
TEST = f"""mutation ($id: ID!) {{
  sendTestEvent(input: {{webhookId: $id}}) {{ delivery {{ {DELIVERY} }} }} }}"""
REDELIVER = f"""mutation ($id: ID!) {{
  redeliver(input: {{deliveryId: $id}}) {{ delivery {{ {DELIVERY} }} }} }}"""


@pytest.fixture
def hooks(engine):
    with world(engine) as there:
        yield there


@pytest.fixture
def calls_of():
    """The names of the DynamoDB operations that a service calls."""

    @contextmanager
    def calls_of(hooks):
        names, before = [], hooks.database.on_call
        hooks.database.on_call = lambda call: names.append(call.operation)
        yield names
        hooks.database.on_call = before

    return calls_of


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


def test_nothing_is_posted_twice_however_often_the_dispatcher_looks(hooks, ann):
    hooks.create(ann)
    ann.create(title="x")

    hooks.dispatch()
    hooks.dispatch()
    hooks.duty = hooks.new_duty()  # another process, which remembers nothing
    hooks.dispatch()

    assert hooks.receiver.kinds() == ["TASK_CREATED"]


def test_what_was_before_the_webhook_is_not_told(hooks, ann):
    ann.create(title="before")
    hooks.create(ann)
    after = ann.create(title="after")

    hooks.dispatch()

    assert [message.task for message in hooks.receiver.messages] == [after["id"]]


def test_only_the_kinds_and_the_tasks_that_were_asked_for_are_told(hooks, ann):
    hooks.create(ann, "/home", kinds=["TASK_CREATED"], filter={"tags": ["home"]})
    hooks.create(ann, "/done", kinds=["TASK_COMPLETED"])
    home, work = ann.create(title="x", tags=["home"]), ann.create(title="y", tags=["work"])
    for task in (home, work):
        complete(ann, task)

    hooks.dispatch()

    assert [(m.path, m.payload["type"], m.task) for m in hooks.receiver.messages] == [
        ("/home", "TASK_CREATED", home["id"]),
        ("/done", "TASK_COMPLETED", home["id"]),
        ("/done", "TASK_COMPLETED", work["id"]),
    ]


def test_more_changes_than_fit_a_page_all_come_in_the_order_of_each_task(hooks, ann, monkeypatch):
    monkeypatch.setattr(outbox, "PAGE", 5)
    hooks.create(ann)
    tasks = [ann.create(title=f"{number}") for number in range(4)]
    for title in ("a", "b", "c"):
        for task in tasks:
            update(ann, task, title=title)

    for _ in range(4):
        hooks.dispatch()

    versions = {task["id"]: [] for task in tasks}
    for message in hooks.receiver.messages:
        versions[message.task].append(message.payload["data"]["version"])
    assert list(versions.values()) == [[1, 2, 3, 4]] * 4


def test_a_failing_delivery_holds_up_later_ones_of_its_task_only(hooks, ann):
    hooks.create(ann)
    stuck, other = ann.create(title="stuck"), ann.create(title="other")
    hooks.receiver.answers[stuck["id"]] = 500
    for task in (stuck, other):
        update(ann, task, title="new")

    hooks.dispatch()

    assert seen(hooks) == [(stuck["id"], 1), (other["id"], 1), (other["id"], 2)]
    del hooks.receiver.answers[stuck["id"]], hooks.receiver.messages[:]
    hooks.dispatch()
    assert seen(hooks) == []  # it is not time yet
    hooks.later(seconds=6)
    hooks.dispatch()
    assert seen(hooks) == [(stuck["id"], 1), (stuck["id"], 2)]


def test_each_try_has_the_same_id_and_body_and_a_signature_of_its_own_time(hooks, ann):
    webhook = hooks.create(ann)
    task = ann.create(title="x")
    hooks.receiver.answers[task["id"]] = 503

    hooks.dispatch()
    hooks.later(seconds=6)
    hooks.dispatch()

    first, second = hooks.receiver.messages
    assert (first.id, first.body) == (second.id, second.body)
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.is_signed_by(webhook["secret"])
    assert second.is_signed_by(webhook["secret"])


def test_the_log_tells_what_has_become_of_a_delivery(hooks, ann):
    webhook = hooks.create(ann)
    task = ann.create(title="x")
    hooks.receiver.answers[task["id"]] = 500
    hooks.dispatch()

    [pending] = hooks.deliveries(ann, webhook)
    hooks.receiver.answers[task["id"]] = 200
    hooks.later(seconds=6)
    hooks.dispatch()
    [delivered] = hooks.deliveries(ann, webhook)

    told = ("status", "attempts", "responseStatus", "error", "kind", "taskId", "webhookId")
    of = ("TASK_CREATED", task["id"], webhook["id"])
    assert [pending[name] for name in told] == ["PENDING", 1, 500, "HTTP 500", *of]
    assert [delivered[name] for name in told] == ["DELIVERED", 2, 200, None, *of]
    assert (pending["nextTryAt"] is None, delivered["nextTryAt"]) == (False, None)
    assert pending["id"] == delivered["id"]
    assert pending["messageId"] == delivered["messageId"] == hooks.receiver.messages[0].id


def test_410_disables_the_webhook_at_once(hooks, ann):
    webhook = hooks.create(ann)
    for title in "ab":
        ann.create(title=title)
    hooks.receiver.answers["/"] = 410

    hooks.dispatch()

    assert len(hooks.receiver.messages) == 1
    found = hooks.webhook(ann)
    assert (found["status"], found["disabledReason"]) == (
        "DISABLED",
        "Its receiver has answered 410: it is gone.",
    )
    pending, failed = hooks.deliveries(ann, webhook)
    assert (failed["status"], failed["attempts"]) == ("FAILED", 1)
    assert (pending["status"], pending["attempts"]) == ("PENDING", 0)


def test_three_days_of_failures_disable_the_webhook_with_the_reason(hooks, ann):
    webhook = hooks.create(ann)
    ann.create(title="x")
    hooks.receiver.answers["/"] = 500

    for _ in range(10):
        assert hooks.webhook(ann)["status"] == "ENABLED"
        hooks.dispatch()
        hooks.later(hours=21)
    hooks.dispatch()

    assert len(hooks.receiver.messages) == 10
    assert hooks.webhook(ann)["disabledReason"] == (
        "Nothing was accepted for three days; of 10 tries the last one: HTTP 500."
    )
    assert hooks.store.pending(ann.id) == []
    assert webhook["status"] == "ENABLED"


def test_one_message_that_is_never_accepted_disables_nothing_while_others_are(hooks, ann):
    hooks.create(ann)
    poison = ann.create(title="poison")
    hooks.receiver.answers[poison["id"]] = 500

    update(ann, poison, title="later")
    others = [ann.create(title=f"{number}")["id"] for number in range(4)]
    hooks.receiver.answers |= dict.fromkeys(others, 500)

    for number in range(10):
        if number % 3 == 0:  # from time to time something is accepted
            hooks.receiver.answers[others.pop()] = 204
        hooks.dispatch()
        hooks.later(hours=21)
    hooks.dispatch()

    assert hooks.webhook(ann)["status"] == "ENABLED"
    poisoned = [version for task, version in seen(hooks) if task == poison["id"]]
    assert poisoned == [*[1] * 10, 2]


def test_a_task_whose_messages_are_not_accepted_stops_no_other_one(hooks, ann, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_PENDING", 40)
    monkeypatch.setattr(outbox, "PAGE", 10)
    hooks.create(ann)
    poison = ann.create(title="poison")
    hooks.receiver.answers[poison["id"]] = 500
    for number in range(5):
        for version in range(10):
            update(ann, poison, title=f"{number}.{version}")
        hooks.dispatch()
        hooks.later(seconds=20)

    other = ann.create(title="other")
    for _ in range(4):
        hooks.dispatch()

    assert other["id"] in {m.task for m in hooks.receiver.messages if m.status == 204}


def test_a_webhook_that_is_enabled_again_goes_on_where_it_was_disabled(hooks, ann):
    webhook = hooks.create(ann)
    hooks.receiver.answers["/"] = 410
    first = ann.create(title="1")
    hooks.dispatch()
    missed = [ann.create(title=title)["id"] for title in "23"]
    hooks.dispatch()
    assert len(hooks.receiver.messages) == 1

    hooks.receiver.answers["/"] = 204
    answer = ann.graphql(UPDATE, input={"id": webhook["id"], "status": "ENABLED"})
    hooks.dispatch()

    after = answer["data"]["updateWebhook"]["webhook"]
    assert (after["status"], after["disabledReason"]) == ("ENABLED", None)
    assert [m.task for m in hooks.receiver.messages] == [first["id"], *missed]


def test_a_test_event_is_sent_once_also_while_the_webhook_is_disabled(hooks, ann):
    webhook = hooks.create(ann)
    ann.graphql(UPDATE, input={"id": webhook["id"], "status": "DISABLED"})
    ann.create(title="not told")
    hooks.receiver.answers["/"] = 500

    delivery = ann.graphql(TEST, id=webhook["id"])["data"]["sendTestEvent"]["delivery"]
    hooks.dispatch()
    hooks.later(days=1)
    hooks.dispatch()

    [message] = hooks.receiver.messages
    assert message.payload == {
        "type": "TEST",
        "timestamp": message.payload["timestamp"],
        "data": {"webhookId": webhook["id"]},
    }
    assert message.is_signed_by(webhook["secret"])
    assert (delivery["status"], delivery["kind"], delivery["taskId"]) == ("PENDING", None, None)
    [logged] = hooks.deliveries(ann, webhook)
    assert (logged["id"], logged["status"], logged["error"]) == (
        delivery["id"],
        "FAILED",
        "HTTP 500",
    )
    assert hooks.webhook(ann)["disabledReason"] == "Disabled by its user."


def test_a_message_is_delivered_again_under_its_id(hooks, ann):
    webhook = hooks.create(ann)
    ann.create(title="x")
    hooks.dispatch()
    [first] = hooks.deliveries(ann, webhook)

    again = ann.graphql(REDELIVER, id=first["id"])["data"]["redeliver"]["delivery"]
    hooks.dispatch()

    one, two = hooks.receiver.messages
    assert (one.id, one.body) == (two.id, two.body)
    assert [each["id"] for each in hooks.deliveries(ann, webhook)] == [again["id"], first["id"]]


def test_both_secrets_sign_after_a_rotation(hooks, ann):
    webhook = hooks.create(ann)
    answer = ann.graphql(ROTATE, id=webhook["id"])["data"]["rotateWebhookSecret"]
    ann.create(title="x")

    hooks.dispatch()

    [message] = hooks.receiver.messages
    assert answer["secret"] != webhook["secret"]
    assert message.is_signed_by(webhook["secret"])
    assert message.is_signed_by(answer["secret"])
    assert len(message.headers["webhook-signature"].split(" ")) == 2


def test_a_redirect_is_a_failure_and_not_followed(hooks, ann):
    webhook = hooks.create(ann)
    hooks.receiver.headers["Location"] = f"{hooks.receiver.url}/elsewhere"
    hooks.receiver.answers["/"] = 307
    ann.create(title="x")

    hooks.dispatch()

    assert [message.path for message in hooks.receiver.messages] == ["/"]
    [delivery] = hooks.deliveries(ann, webhook)
    assert (delivery["responseStatus"], delivery["error"]) == (
        307,
        "a redirect, which is not followed",
    )


def test_a_receiver_that_is_down_is_tried_later(hooks, ann):
    webhook = hooks.create(ann)
    free_port = "http://127.0.0.1:1/"
    ann.graphql(UPDATE, input={"id": webhook["id"], "url": free_port})
    ann.create(title="x")
    hooks.dispatch()

    [delivery] = hooks.deliveries(ann, webhook)
    assert (delivery["status"], delivery["error"]) == ("PENDING", "no connection")
    ann.graphql(UPDATE, input={"id": webhook["id"], "url": hooks.receiver.url})
    hooks.later(seconds=6)
    hooks.dispatch()
    assert hooks.receiver.kinds() == ["TASK_CREATED"]


def test_a_deleted_webhook_gets_nothing_and_leaves_nothing_to_deliver(hooks, ann):
    webhook = hooks.create(ann)
    ann.create(title="x")
    hooks.receiver.answers["/"] = 500
    hooks.dispatch()
    ann.graphql(DELETE, id=webhook["id"])
    ann.create(title="y")

    hooks.later(seconds=6)
    hooks.dispatch()

    assert len(hooks.receiver.messages) == 1
    assert hooks.store.pending(ann.id) == []
    assert ann.id not in {lane.item for lane in hooks.store.lanes()}


def test_deliveries_are_listed_by_pages_the_newest_first(hooks, ann):
    webhook = hooks.create(ann)
    tasks = [ann.create(title=title)["id"] for title in "12345"]
    hooks.receiver.answers[tasks[1]] = hooks.receiver.answers[tasks[3]] = 500
    hooks.dispatch()

    pages, after = [], None
    while after or not pages:
        answer = ann.graphql(DELIVERIES, id=webhook["id"], first=2, after=after)
        found = answer["data"]["webhookDeliveries"]
        pages.append([node["taskId"] for node in found["nodes"]])
        assert found["totalCount"] == 5
        after = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None

    assert pages == [[tasks[4], tasks[3]], [tasks[2], tasks[1]], [tasks[0]]]


# What it costs


def test_a_write_costs_no_call_more_with_webhooks_and_each_step_of_a_delivery_is_counted(
    hooks, ann, calls_of
):
    with calls_of(hooks) as calls:
        ann.create(title="without")
        assert calls == ["TransactWriteItems"]
    hooks.create(ann)
    with calls_of(hooks) as calls:
        ann.create(title="with")
        assert calls == ["TransactWriteItems"]

    with calls_of(hooks) as calls:
        hooks.duty._look_after(ann.id, None, hooks.now())
        assert calls == [
            "Query",  # the webhooks
            "Query",  # what waits
            "Query",  # the feed after the webhook's place
            "BatchGetItem",  # whether it has its delivery already
            "PutItem",  # the delivery
            "UpdateItem",  # the place in the feed
            "UpdateItem",  # the try
            "TransactWriteItems",  # what has become of it
            "UpdateItem",  # that the receiver accepts, once an hour
        ]
    ann.create(title="another")
    with calls_of(hooks) as calls:
        hooks.duty._look_after(ann.id, None, hooks.now())
        assert calls == [*["Query"] * 3, "BatchGetItem", "PutItem", *["UpdateItem"] * 2, calls[-1]]
        assert calls[-1] == "TransactWriteItems"
    with calls_of(hooks) as calls:
        hooks.duty._look_after(ann.id, None, hooks.now())
        assert calls == ["Query"] * 3  # nothing is new


@pytest.mark.counts_units
def test_a_delivery_takes_seven_write_units_and_the_write_before_it_none_more(hooks, ann):
    with consumed(hooks.database) as without:
        ann.create(title="1")
    hooks.create(ann)
    with consumed(hooks.database) as write:
        ann.create(title="2")
    hooks.duty._look_after(ann.id, None, hooks.now())
    ann.create(title="3")
    with consumed(hooks.database) as delivery:
        hooks.duty._look_after(ann.id, None, hooks.now())

    assert write == without
    assert [(call.operation, call.writes) for call in delivery if call.writes] == [
        ("PutItem", 1),
        ("UpdateItem", 1),
        ("UpdateItem", 1),
        ("TransactWriteItems", 4),
    ]
    assert sum(call.reads for call in delivery) == 2


def test_a_look_when_nobody_s_webhooks_are_due_is_one_call(hooks, ann, calls_of):
    hooks.create(ann)
    hooks.later(minutes=1)
    hooks.dispatch()
    with calls_of(hooks) as calls:
        assert hooks.duty.run(hooks.now()) == 1

    assert calls == ["Query"]


# Several processes, and those that end


def test_of_two_dispatchers_one_makes_a_try(hooks, ann):
    hooks.create(ann)
    ann.create(title="x")
    here, there = hooks.new_duty(), hooks.new_duty()
    begin, claims = hooks.store.begin, []

    def overtaken(before, after):
        """Let the other one be at the same place, before this one has claimed its try."""
        if not claims:
            claims.append(None)
            there._look_after(ann.id, None, hooks.now())
        claims.append(begin(before, after))
        return claims[-1]

    hooks.store.begin = overtaken
    here._look_after(ann.id, None, hooks.now())

    assert claims == [None, True, False]
    assert hooks.receiver.kinds() == ["TASK_CREATED"]


class Crash(BaseException):
    """The process ends here, as by kill -9."""


def test_whatever_call_a_dispatcher_crashes_at_the_next_one_delivers_all(hooks, ann, monkeypatch):
    monkeypatch.setattr(delivery, "LEASE", timedelta())  # a try that was begun may be made again
    hooks.create(ann)
    number = 0
    while True:
        number += 1
        task = ann.create(title=f"{number}")
        update(ann, task, title="new")
        hooks.duty = hooks.new_duty()
        if not crashes(hooks, ann, after=number):
            break
        hooks.duty = hooks.new_duty()
        hooks.dispatch()
        came = [version for at, version in seen(hooks) if at == task["id"]]
        assert sorted(set(came)) == [1, 2], number
        assert len(came) <= 3, number  # the message of a try that ended unknown comes again
        assert hooks.store.pending(ann.id) == []

    assert number == 12  # it has made eleven calls
    ids = {}
    for message in hooks.receiver.messages:
        ids.setdefault((message.task, message.payload["data"]["version"]), set()).add(message.id)
    assert {len(each) for each in ids.values()} == {1}


def crashes(hooks, person, after):
    """Whether the dispatcher of a person's webhooks ends before its call of this number."""
    call, made = hooks.database.call, []

    def counted(*arguments, **options):
        made.append(arguments)
        if len(made) == after:
            raise Crash
        return call(*arguments, **options)

    hooks.database.call = counted
    try:
        hooks.duty._look_after(person.id, None, hooks.now())
    except Crash:
        return True
    finally:
        hooks.database.call = call
    return False


def test_what_waits_in_the_feed_is_bounded_by_what_waits_at_the_webhook(hooks, ann, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_PENDING", 5)
    monkeypatch.setattr(outbox, "PAGE", 5)
    hooks.create(ann)
    tasks = [ann.create(title=f"{number}")["id"] for number in range(12)]
    hooks.receiver.answers["/"] = 500

    for _ in range(4):
        hooks.dispatch()
    waiting = len(hooks.store.pending(ann.id))
    hooks.receiver.answers["/"] = 204
    hooks.later(seconds=6)
    for _ in range(8):
        hooks.dispatch()

    assert waiting == 5
    assert {m.task for m in hooks.receiver.messages if m.status == 204} == set(tasks)


def test_what_comes_after_more_than_a_page_of_changes_is_delivered_too(hooks, ann, monkeypatch):
    monkeypatch.setattr(outbox, "PAGE", 5)
    hooks.create(ann)
    tasks = [ann.create(title=f"{number}")["id"] for number in range(12)]
    for _ in range(8):
        hooks.dispatch()
    hooks.later(seconds=20)

    tasks.append(ann.create(title="later")["id"])
    for _ in range(8):
        hooks.dispatch()

    assert {message.task for message in hooks.receiver.messages} == set(tasks)


def test_a_receiver_without_an_answer_gets_a_rest_and_keeps_nobody_waiting(hooks, ann):
    hooks.create(ann)
    for number in range(8):
        ann.create(title=f"{number}")
    post = hooks.client.post
    hooks.client.post = no_answer

    hooks.dispatch()
    tried = sum(each.attempts for each in hooks.store.pending(ann.id))
    hooks.later(seconds=59)
    hooks.dispatch()
    still = sum(each.attempts for each in hooks.store.pending(ann.id))
    hooks.client.post = post
    hooks.later(seconds=10)
    hooks.dispatch()

    assert (tried, still) == (duty.TIMEOUTS, duty.TIMEOUTS)
    assert len(hooks.receiver.messages) == 8


def test_a_long_backlog_is_read_without_a_pause(hooks, ann, monkeypatch):
    monkeypatch.setattr(outbox, "PAGE", 5)
    hooks.create(ann)
    for number in range(12):
        ann.create(title=f"{number}")

    pauses = [hooks.duty.run(hooks.now()) for _ in range(3)]

    assert pauses == [0, 0, 1]
    assert len(hooks.receiver.messages) == 12


def test_more_of_a_task_that_comes_while_it_is_delivered_goes_next(hooks, ann):
    webhook = hooks.create(ann)
    task = ann.create(title="x")
    woken, post = [], hooks.client.post
    hooks.duty.on_ready = lambda: woken.append(None)

    def meanwhile(*arguments):
        """Let the task be changed, and the dispatcher look, during the first try."""
        hooks.client.post = post
        update(ann, task, title="new")
        hooks.duty._look_after(ann.id, None, hooks.now())
        return post(*arguments)

    hooks.client.post = meanwhile
    hooks.duty._look_after(ann.id, None, hooks.now())

    assert (seen(hooks), woken) == ([(task["id"], 1)], [None])
    hooks.duty.run(hooks.now())
    assert seen(hooks) == [(task["id"], 1), (task["id"], 2)]
    assert {each["status"] for each in hooks.deliveries(ann, webhook)} == {"DELIVERED"}


@pytest.mark.concurrent
def test_receivers_that_never_answer_keep_nobody_else_waiting(engine):
    """With the threads of a real crew, all of which one user might hold."""
    with world(engine, crew=Crew(size=3, by_line=2)) as hooks:
        mallory, ann = hooks.api.register("mallory"), hooks.api.register("ann")
        hooks.create(mallory, "/never")
        hooks.create(ann, "/ann")
        hooks.receiver.hold("/never")
        for number in range(5):
            mallory.create(title=f"{number}")
        task = ann.create(title="x")

        hooks.dispatch()

        hooks.receiver.wait_for(lambda: any(m.task == task["id"] for m in hooks.receiver.messages))
        assert [m.path for m in hooks.receiver.messages] == ["/ann"]
        hooks.receiver.release()
        hooks.receiver.wait_for(lambda: len(hooks.receiver.messages) == 6)
        hooks.crew.stop(600)


def test_a_place_in_the_feed_that_is_too_old_goes_on_with_the_oldest_change_kept(hooks, ann):
    webhook = hooks.create(ann)
    task = ann.create(title="x")
    stored = hooks.store.get(ann.id, webhook["id"])
    hooks.store.move(stored, ids.first_id(clock.now() - timedelta(days=40)))

    hooks.dispatch()

    assert [m.task for m in hooks.receiver.messages] == [task["id"]]


def test_a_place_in_the_feed_moves_on_from_time_to_time_though_nothing_happens(hooks, ann):
    webhook = hooks.create(ann)
    before = hooks.store.get(ann.id, webhook["id"]).position
    hooks.dispatch()
    hooks.later(hours=23)
    hooks.dispatch()
    same = hooks.store.get(ann.id, webhook["id"]).position
    hooks.later(hours=2)
    hooks.dispatch()

    assert same == before
    assert hooks.store.get(ann.id, webhook["id"]).position > before


def test_what_time_brings_says_by_how_much_it_is_late(hooks):
    change = Change(
        user_id="ann",
        change_id=ids.new_id(clock.now()),
        kind=ChangeKind.TASK_OVERDUE,
        task_id="1",
        version=1,
        fields=(),
        before=Raw(),
        actor=SYSTEM,
        late_seconds=7,
    )

    payload = json.loads(Payloads(hooks.cursors).of_change(change, clock.now()))

    assert (payload["type"], payload["data"]["lateSeconds"]) == ("TASK_OVERDUE", 7)


def no_answer(*_):
    raise TimedOut("no answer in time")


def complete(person, task):
    update(person, task, status="COMPLETED")


def update(person, task, **fields):
    answer = person.graphql(UPDATE_TASK, input={"id": task["id"], **fields})
    assert "errors" not in answer, answer


def seen(hooks):
    return [(m.task, m.payload["data"]["version"]) for m in hooks.receiver.messages]
