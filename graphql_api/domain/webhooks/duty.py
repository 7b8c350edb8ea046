"""The dispatcher's duty: finds whose webhooks are due, and has threads deliver."""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from graphql_api.domain.webhooks.delivery import Deliverer
from graphql_api.domain.webhooks.model import Delivery, DeliveryStatus, Webhook
from graphql_api.domain.webhooks.outbox import Outbox, Reading
from graphql_api.domain.webhooks.store import Lane, WebhookStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.outgoing.client import TimedOut

SWEEP = timedelta(seconds=60)  # after which a user's webhooks are looked after in any case
IDLE = timedelta(minutes=10)  # … or after this, if all of them are disabled
NEW = timedelta(seconds=30)  # in which other processes may not know yet that a user has webhooks
SOON = timedelta(seconds=1)
LONG, SHARE = 20, 10  # in a longer queue only each tenth counts: one that is stuck stops no others
TIMEOUTS = 5  # in a row, after which a receiver gets a rest …
REST = timedelta(seconds=60)  # … of this, and twice as long after each later one …
LONGEST_REST = timedelta(minutes=10)  # … up to this

log = logging.getLogger(__name__)

Queue: TypeAlias = tuple[str, str]  # a webhook, and one of its tasks


class WebhookDuty:
    """Looks after the webhooks of all users, as they are due."""

    def __init__(
        self,
        store: WebhookStore,
        outbox: Outbox,
        deliverer: Deliverer,
        crew: Crew,
        now: Callable[[], datetime],
        interval: float,
    ) -> None:
        """`interval` is in seconds, between two looks for what is due."""
        self._store, self._outbox, self._deliverer = store, outbox, deliverer
        self._crew, self._now, self._interval = crew, now, interval
        self._is_new = True  # a process that has ended may have claimed what it has not done
        self.on_ready: Callable[[], None] = lambda: None  # called by threads: `run` is wanted soon
        self._lock = threading.Lock()  # of what the crew's threads use as well
        self._latest: dict[str, dict[str, Webhook]] = {}  # by user and id
        self._running: dict[Queue, str] = {}  # with the id of the last delivery under way
        self._missed: set[Queue] = set()  # those that have got more since
        self._again: set[str] = set()  # users whose queues those are
        self._rests = Rests()
        self._has_more = False  # to read of somebody's feed

    def run(self, now: datetime) -> float:
        """Look after whose webhooks are due; return the seconds until the next look."""
        self._has_more = False
        with self._lock:
            again, self._again = self._again, set()
        for lane in self._store.lanes():
            is_due = self._is_new or lane.due_at <= now.timestamp() * 1_000
            if is_due and (claimed := self._store.claim_lane(lane, now + SWEEP)):
                again.discard(lane.item)
                self._safely(lane.item, claimed, now)
        self._is_new = False
        for user_id in again:
            self._safely(user_id, None, now)
        return 0.0 if self._has_more else self._interval

    def stop(self, seconds: float) -> None:
        """Begin no delivery any more, and wait for those that are under way."""
        self._crew.stop(seconds)

    def _safely(self, user_id: str, lane: Lane | None, now: datetime) -> None:
        """Look after one user; nobody else has to wait if that fails."""
        try:
            self._look_after(user_id, lane, now)
        except ServiceUnavailable:
            log.warning("The webhooks of user %s could not be looked after", user_id)
        except Exception:
            log.exception("The webhooks of user %s could not be looked after", user_id)

    def _look_after(self, user_id: str, lane: Lane | None, now: datetime) -> None:
        """See what is new and what is due; set the time of a lane that was claimed for that."""
        webhooks = {each.webhook_id: each for each in self._store.all(user_id)}
        queues, due, full = self._queues(user_id, webhooks, now)
        with self._lock:
            self._latest[user_id] = webhooks
        for queue, deliveries in queues.items():
            webhook = webhooks[queue[0]]
            if webhook.enabled or deliveries[0].on_request:
                due.append(self._start(queue, deliveries, now))
        is_new = lane and any(each.updated_at > now - NEW for each in webhooks.values())
        if is_new or (full and self._delivers(webhooks)):
            due.append(now + SOON)
        if due and min(due) < now + SWEEP:
            self._store.hasten(user_id, min(due))
        elif lane and not webhooks:
            self._store.close_lane(lane)
            with self._lock:
                del self._latest[user_id]
        elif lane and not due:
            self._store.claim_lane(lane, now + IDLE)

    def _delivers(self, webhooks: Collection[str]) -> bool:
        """Tell whether something of these webhooks is under way."""
        with self._lock:
            return any(webhook_id in webhooks for webhook_id, _ in self._running)

    def _queues(
        self, user_id: str, webhooks: dict[str, Webhook], now: datetime
    ) -> tuple[dict[Queue, list[Delivery]], list[datetime], bool]:
        """The deliveries that wait, the new ones too, by queue; and when to look again at least.

        The last says that more would have been read if fewer were waiting.
        """
        queues: dict[Queue, list[Delivery]] = defaultdict(list)
        counts: dict[str, int] = defaultdict(int)
        orphans, due = [], []
        for delivery in self._store.pending(user_id):
            if delivery.webhook_id not in webhooks:
                orphans.append(delivery)
            else:
                queue = queues[delivery.webhook_id, delivery.queue]
                counts[delivery.webhook_id] += len(queue) < LONG or not len(queue) % SHARE
                queue.append(delivery)
        self._store.drop(orphans)
        reading, full = Reading(user_id, now), False
        for webhook in webhooks.values():
            if webhook.enabled:
                collected = self._outbox.collect(webhook, counts[webhook.webhook_id], reading)
                for delivery in collected.deliveries:
                    queues[webhook.webhook_id, delivery.queue].append(delivery)
                due.append(now if collected.more else now + SWEEP)
                self._has_more = self._has_more or collected.more
                full = full or collected.full
        return queues, due, full

    def _start(self, queue: Queue, deliveries: list[Delivery], now: datetime) -> datetime:
        """Have a queue delivered if its first one is due; return when to look at it again."""
        first = deliveries[0]
        with self._lock:
            if queue in self._running:
                if deliveries[-1].delivery_id > self._running[queue]:
                    self._missed.add(queue)
                return now + SWEEP
            if not first.is_due(now):
                return first.next_try_at or now + SWEEP
            others = any(each[0] == queue[0] for each in self._running)
            if not first.on_request and (rest := self._rests.until(queue[0], now, others=others)):
                return rest
            self._running[queue] = deliveries[-1].delivery_id
        self._crew.add(first.user_id, partial(self._deliver, queue, deliveries))
        return now + SWEEP

    def _deliver(self, queue: Queue, deliveries: list[Delivery]) -> None:
        """Deliver what waits in a queue, one after the other, until one fails."""
        user_id = deliveries[0].user_id
        try:
            for delivery in deliveries:
                with self._lock:
                    webhook = self._latest.get(user_id, {}).get(queue[0])
                if webhook is None or not (webhook.enabled or delivery.on_request):
                    break
                if not self._attempt(webhook, delivery):
                    break
        except ServiceUnavailable:
            log.warning("A delivery of webhook %s could not be stored", queue[0])
        finally:
            with self._lock:
                del self._running[queue]
                if missed := queue in self._missed:
                    self._missed.discard(queue)
                    self._again.add(user_id)
            if missed:
                self.on_ready()

    def _attempt(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Make a try; return whether the next delivery of the queue may go."""
        try:
            after = self._deliverer.attempt(webhook, delivery)
        except TimedOut:
            with self._lock:
                self._rests.note_timeout(webhook.webhook_id, self._now())
            return False
        if after is None or after.status is DeliveryStatus.PENDING:
            return False
        with self._lock:
            self._rests.end(webhook.webhook_id)
            if after.status is DeliveryStatus.FAILED:  # which may have disabled it
                self._latest.pop(webhook.user_id, None)
                self._again.add(webhook.user_id)
        return after.status is DeliveryStatus.DELIVERED


class Rests:
    """Receivers that have kept us waiting again and again, and until when they are left alone.

    Else those who never answer would hold all threads. After its rest, one try has to come back
    before there are others.
    """

    def __init__(self) -> None:
        self._timeouts: Counter[str] = Counter()  # in a row, by webhook
        self._until: dict[str, datetime] = {}

    def note_timeout(self, webhook_id: str, now: datetime) -> None:
        """Count a try without an answer."""
        self._timeouts[webhook_id] += 1
        if (later := self._timeouts[webhook_id] - TIMEOUTS) >= 0:
            self._until[webhook_id] = now + min(REST * 2 ** min(later, 8), LONGEST_REST)

    def end(self, webhook_id: str) -> None:
        """Forget what was, since the receiver has answered."""
        self._timeouts.pop(webhook_id, None)
        self._until.pop(webhook_id, None)

    def until(self, webhook_id: str, now: datetime, *, others: bool) -> datetime | None:
        """Return when to try again; None for now. `others`: tries of the same receiver go on."""
        until = self._until.get(webhook_id)
        if until is None:
            return None
        return until if now < until else (now + SOON if others else None)
