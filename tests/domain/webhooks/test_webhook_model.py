"""The rules of webhooks and deliveries: when to try again, who signs, and what is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from graphql_api.domain.changes.model import SYSTEM, ChangeKind
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.filters import TaskFilter, Viewpoint
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.webhooks.model import (
    JITTER,
    RETRY_DELAYS,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookStatus,
    new_secret,
)
from graphql_api.errors import BadUserInput

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = Viewpoint(NOW)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)


def webhook(**fields):
    values = {"url": "https://example.com", "kinds": tuple(ChangeKind), "filter": TaskFilter()}
    return Webhook.new("ann", **{**values, **fields}, secret="whsec_1", now=NOW)


def task(**fields):
    return Task.new("ann", {"title": "x", **fields}, NOW)


def created(of, now=NOW):
    return writes.creation(of, {"title"}, SYSTEM, now)


def delivery():
    return Delivery.of_change(webhook(), created(task()).change, "{}", NOW)


def failures(random):
    """The instants of all tries of a delivery that is never accepted."""
    at, tries, one = NOW, [], delivery()
    while one.status is DeliveryStatus.PENDING:
        assert one.is_due(at)
        tries.append(at)
        one = one.begun(at, LEASE).failed("HTTP 500", 500, at, random=random)
        assert not one.is_due(at)
        at = one.next_try_at
    return tries, one


def test_a_delivery_is_tried_ten_times_within_three_days():
    tries, last = failures(random=0.5)

    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == list(RETRY_DELAYS)
    assert timedelta(days=2, hours=23) < tries[-1] - NOW < timedelta(days=3)
    assert (last.status, last.attempts, last.next_try_at) == (DeliveryStatus.FAILED, 10, None)


@pytest.mark.parametrize(("random", "factor"), [(0, 1 - JITTER), (1, 1 + JITTER)])
def test_pauses_differ_at_random_so_that_not_all_come_back_at_once(random, factor):
    tries, _ = failures(random)

    assert tries[2] - tries[1] == RETRY_DELAYS[1] * factor


def test_a_receiver_may_ask_for_a_longer_pause_of_up_to_a_day():
    one = delivery().begun(NOW, LEASE)

    soon = one.failed("HTTP 503", 503, NOW, random=0.5, at_least=1)
    later = one.failed("HTTP 503", 503, NOW, random=0.5, at_least=3600)
    never = one.failed("HTTP 503", 503, NOW, random=0.5, at_least=10**9)

    assert [each.next_try_at - NOW for each in (soon, later, never)] == [
        RETRY_DELAYS[0],
        HOUR,
        24 * HOUR,
    ]


def test_what_was_asked_for_has_one_try():
    again = delivery().again(NOW)

    failed = again.begun(NOW, LEASE).failed("no connection", None, NOW, random=0.5)

    assert failed.status is DeliveryStatus.FAILED


def test_a_redelivery_has_the_message_and_the_body_of_the_first_and_waits_for_nobody():
    first = delivery()
    again = first.again(NOW + HOUR)

    assert (again.message_id, again.body) == (first.message_id, first.body)
    assert again.delivery_id != first.delivery_id
    assert (first.queue, again.queue) == (first.task_id, again.delivery_id)


def test_a_secret_that_was_replaced_signs_for_a_day():
    rotated = webhook().rotate("whsec_2", NOW)
    twice = rotated.rotate("whsec_3", NOW + HOUR)

    assert rotated.secrets(NOW) == ["whsec_2", "whsec_1"]
    assert twice.secrets(NOW + HOUR) == ["whsec_3", "whsec_2", "whsec_1"]
    assert twice.secrets(NOW + 24 * HOUR) == ["whsec_3", "whsec_2"]
    assert twice.secrets(NOW + 25 * HOUR) == ["whsec_3"]


def test_of_many_rotations_five_secrets_sign():
    hook = webhook()
    for number in range(2, 10):
        hook = hook.rotate(f"whsec_{number}", NOW)

    assert hook.secrets(NOW) == ["whsec_9", "whsec_8", "whsec_7", "whsec_6", "whsec_5"]


def test_secrets_are_not_in_what_is_printed():
    hook = webhook().rotate("whsec_2", NOW)

    assert "whsec" not in repr(hook)
    assert new_secret(bytes(24)) == "whsec_" + "A" * 32


def test_enabling_forgets_the_reason_and_counts_as_a_version():
    gone = webhook().disable("gone", NOW)
    back = gone.edit({"status": WebhookStatus.ENABLED}, NOW)

    assert (gone.status, gone.disabled_reason, gone.version) == (WebhookStatus.DISABLED, "gone", 2)
    assert (back.status, back.disabled_reason, back.version) == (WebhookStatus.ENABLED, "", 3)
    assert back.edit({"status": WebhookStatus.ENABLED}, NOW) is back


def test_kinds_are_told_once_each_and_there_is_at_least_one():
    kinds = (ChangeKind.TASK_DELETED, ChangeKind.TASK_CREATED, ChangeKind.TASK_DELETED)

    assert webhook(kinds=kinds).kinds == (ChangeKind.TASK_DELETED, ChangeKind.TASK_CREATED)
    with pytest.raises(BadUserInput) as error:
        webhook(kinds=())
    assert error.value.field == "kinds"


# What a webhook wants


def test_changes_of_other_kinds_and_those_before_it_are_not_wanted():
    hook, one = webhook(kinds=(ChangeKind.TASK_CREATED,)), task()
    done = writes.edit(one, one.edit({"title": "y"}, NOW), SYSTEM, NOW)

    assert hook.wants(created(one).change, one, AT)
    assert not hook.wants(done.change, one, AT)
    assert not hook.wants(created(one, NOW - HOUR).change, one, AT)


def test_a_filter_matches_what_the_task_is_or_was_before_the_change():
    open_ones = webhook(filter=TaskFilter(status=(TaskStatus.PENDING,)))
    pending = task()
    write = writes.edit(pending, pending.edit({"status": TaskStatus.COMPLETED}, NOW), SYSTEM, NOW)
    completed = write.result
    later = writes.edit(completed, completed.edit({"title": "y"}, NOW), SYSTEM, NOW)

    assert open_ones.wants(write.change, completed, AT)  # it has left what the receiver looks at
    assert not open_ones.wants(later.change, later.result, AT)


def test_a_filter_matches_a_deleted_task_as_it_was_last():
    home = webhook(filter=TaskFilter(tags=("home",)))
    dependencies = writes.Dependencies.none("ann")
    mine, other = task(tags=("home",)), task(tags=("work",))

    assert home.wants(writes.deletion(mine, dependencies, SYSTEM, NOW).change, None, AT)
    assert not home.wants(writes.deletion(other, dependencies, SYSTEM, NOW).change, None, AT)


def test_a_change_of_a_task_that_is_gone_is_told_whatever_the_filter():
    home, one = webhook(filter=TaskFilter(tags=("home",))), task(tags=("work",))

    assert home.wants(created(one).change, None, AT)


def test_a_filter_by_readiness_asks_who_is_blocked():
    ready, one = webhook(filter=TaskFilter(ready=True)), task()

    assert ready.wants(created(one).change, one, AT)
    assert not ready.wants(created(one).change, one, Viewpoint(NOW, blocked_ids={one.task_id}))


def test_what_time_brings_is_matched_with_the_task_as_it_is():
    home, one = webhook(filter=TaskFilter(tags=("home",))), task(tags=("home",))
    due = replace(created(one).change, kind=ChangeKind.TASK_DUE, fields=())

    assert home.wants(due, one, AT)
    assert not home.wants(due, task(tags=("work",)), AT)
