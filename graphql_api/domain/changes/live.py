"""The feed as it grows: one poll for each user with subscribers, whatever their number.

A change that is written in this process is delivered at once, since its writer calls `notify`; one
of another process with the next poll. One thread does it all, which others only help to read, so
nothing here is locked but the numbers that decide who may subscribe. Subscribers of one user who
want the same rendering share a channel: each change is rendered once for all of them.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

from graphql_api import clock, ids
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import WINDOW, Change, Position
from graphql_api.errors import NotFound, ServiceUnavailable
from graphql_api.infra.concurrency.quota import Quota

PAGE = 500  # changes in one read
STEP = 100  # changes that are read at once for whoever catches up
BATCH_BYTES, BATCH_SECONDS = 48 * 1024, 2.5  # a pace at which no stream is cut (see `streams`)
THREADS, GROUP = 4, 16  # for polls, and how many of them come between two other things
GLANCE = timedelta(seconds=1)  # how late a change may be committed that is told at once
CHECK_SECONDS = 4.0  # between two looks whether the sessions of subscribers are alive
SIGN_OF_LIFE_SECONDS = 20.0  # between two signs of life to each subscriber
RETRY_SECONDS = 30  # for a user with too many subscriptions
TOO_MANY = "There are too many subscriptions: poll `changes`."

log = logging.getLogger(__name__)

Render: TypeAlias = Callable[[Change, datetime], bytes]  # as it was read at an instant


class Receiver(Protocol):
    """One subscriber's end: a stream to a client."""

    def send(self, data: bytes) -> None:
        """Pass rendered changes on."""

    def send_sign_of_life(self) -> None:
        """Keep a silent connection open."""

    def close(self, last: bytes = b"") -> None:
        """End it."""


@dataclass(eq=False, slots=True)
class Subscription:
    """One subscriber's wish: changes, from a position or an instant on, rendered.

    Subscriptions of one user with equal keys have the same rendering, and may hear of the same.
    `farewell` is the last thing that is sent. `since` is what counts without a position: what was
    written from then on is news, however much later the subscription is carried out.
    """

    user_id: str
    authorization: str
    key: Hashable
    render: Render
    receiver: Receiver
    farewell: bytes
    after: Position | None
    since: datetime

    def deliver(self, data: bytes | None) -> None:
        """Send a rendered change, or end it: its client comes back after the last one it has.

        Of a change that the subscriber may not hear of, nothing is rendered.
        """
        if data is None:
            self.receiver.close(self.farewell)
        elif data:
            self.receiver.send(data)


class LiveOptions(NamedTuple):
    """Bounds of the live feed: subscriptions of a process and of a user, seconds between polls."""

    most: int
    most_by_user: int
    interval: float


@dataclass(eq=False, slots=True)
class _Channel:
    """The subscriptions of one user that want the same rendering."""

    render: Render
    subscriptions: set[Subscription] = field(default_factory=set)

    def deliver(self, change: Change, read_at: datetime) -> None:
        """Send a change to all."""
        data = _rendered(self.render, change, read_at)
        for subscription in list(self.subscriptions):
            subscription.deliver(data)


def _rendered(render: Render, change: Change, read_at: datetime) -> bytes | None:
    """A change as it is sent; None, and a line in the log, if that cannot be done."""
    try:
        return render(change, read_at)
    except NotFound:  # its view is gone: who comes back is told
        return None
    except Exception:
        log.exception("A live change could not be rendered")
        return None


class _Reader:
    """The live end of one user's feed, and who listens there."""

    def __init__(self, feed: Feed, user_id: str, now: Callable[[], datetime]) -> None:
        self.channels: dict[Hashable, _Channel] = {}
        self._feed, self._user_id, self._now = feed, user_id, now
        self._position, self._read_at = Position.end(now()), now()
        self._seen: dict[str, Change] = {}
        self.fresh()  # of which `add` knows what is news to whom

    def poll(self) -> None:
        """Deliver what is new."""
        self.deliver(self.fresh())

    def glance(self) -> None:
        """Deliver what has just been written, without reading the whole window again."""
        newest = next(reversed(self._seen), None)
        if newest is None:
            return self.poll()
        start = Position(ids.first_id(ids.instant(newest) - GLANCE))
        self._read_at = self._now()
        page = self._feed.page(self._user_id, start, PAGE, self._read_at)
        fresh = [change for change in page.changes if change.change_id not in self._seen]
        known = self._seen.keys() | {change.change_id for change in fresh}
        if page.more or any(self._is_missed(change.previous, known) for change in fresh):
            return self.poll()
        self._seen.update((change.change_id, change) for change in fresh)
        return self.deliver(fresh)

    def _is_missed(self, previous: str | None, known: Collection[str]) -> bool:
        return previous is not None and previous > self._position.after and previous not in known

    def deliver(self, changes: Iterable[Change]) -> None:
        """Send changes to all who listen."""
        for change in changes:
            for channel in self.channels.values():
                channel.deliver(change, self._read_at)

    def add(self, subscription: Subscription) -> None:
        """Let a subscription hear of what is new."""
        if subscription.after is None:
            since = clock.milliseconds(subscription.since)
            for change in self._seen.values():
                if change.at >= since:
                    subscription.deliver(_rendered(subscription.render, change, self._read_at))
        channel = self.channels.setdefault(subscription.key, _Channel(subscription.render))
        channel.subscriptions.add(subscription)

    def discard(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        channel = self.channels.get(subscription.key)
        if channel:
            channel.subscriptions.discard(subscription)
            if not channel.subscriptions:
                del self.channels[subscription.key]

    def fresh(self) -> list[Change]:
        """Read what is new; nothing counts as read if the store fails on the way."""
        found: dict[str, Change] = {}
        self._read_at = self._now()
        position, more = self._position, True
        while more:
            page = self._feed.page(self._user_id, position, PAGE, self._now())
            found |= {
                change.change_id: change
                for change in page.changes
                if change.change_id not in self._seen and change.change_id not in found
            }
            position, more = page.end, page.more
        self._position = position
        self._seen |= found
        oldest = self._now() - 2 * WINDOW
        while self._seen and next(iter(self._seen.values())).at <= oldest:
            del self._seen[next(iter(self._seen))]
        return list(found.values())


class _CatchUp:
    """A subscription that first gets what came before, at a pace that its client can read at."""

    def __init__(self, feed: Feed, subscription: Subscription, now: Callable[[], datetime]) -> None:
        self.subscription = subscription
        self._feed, self._now, self._read_at = feed, now, now()
        self._position = subscription.after or Position.end(now())
        self._more = True
        self._pending: deque[Change] = deque()
        self._sent: dict[str, None] = {}
        self._resume = 0.0

    @property
    def is_waiting(self) -> bool:
        """True until its client has had time to read."""
        return time.monotonic() < self._resume

    def step(self) -> bool:
        """Send some changes; True once all that are there now are sent."""
        if self.is_waiting:
            return False
        if not self._pending:
            self._read()
        size = 0
        while self._pending and size < BATCH_BYTES:
            change = self._pending.popleft()
            data = _rendered(self.subscription.render, change, self._read_at)
            self.subscription.deliver(data)
            size += len(data or b"")
        if size >= BATCH_BYTES:
            self._resume = time.monotonic() + BATCH_SECONDS
        return not (self._pending or self._more)

    def _read(self) -> None:
        self._read_at = self._now()
        page = self._feed.page(self.subscription.user_id, self._position, STEP, self._read_at)
        self._pending += [each for each in page.changes if each.change_id not in self._sent]
        self._sent |= dict.fromkeys(change.change_id for change in page.changes)
        self._position, self._more = page.end, page.more


class LiveFeed:
    """Delivers changes to the subscribers of this process."""

    def __init__(
        self,
        feed: Feed,
        options: LiveOptions,
        now: Callable[[], datetime],
        is_alive: Callable[[str], bool],
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_alive` says whether an Authorization header still stands for a session.

        `is_ending` is asked with each poll whether the process is about to end.
        """
        self._feed, self._options, self._now, self._is_alive = feed, options, now, is_alive
        self._open = Quota(
            options.most,
            options.most_by_user,
            full=TOO_MANY,
            too_many=f"A user may have {options.most_by_user} subscriptions at a time.",
            retry_after=RETRY_SECONDS,
        )
        self._lock = threading.Lock()  # of the thread's start
        self._is_ending, self._ended = is_ending, False
        self._orders: deque[tuple[bool, Subscription]] = deque()  # to add, or not any more
        self._notified: set[str] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._threads = ThreadPoolExecutor(THREADS, "live feed")  # for reading only
        # What follows belongs to the thread.
        self._readers: dict[str, _Reader] = {}
        self._catching_up: dict[Subscription, _CatchUp] = {}
        self._stuck = False  # the store is away: those who catch up wait for the next poll

    def subscribe(self, subscription: Subscription) -> None:
        """Deliver changes from now on. Raises RateLimited, ServiceUnavailable."""
        if self._ended or self._is_ending():
            raise ServiceUnavailable(TOO_MANY)
        self._open.take(subscription.user_id)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live feed", daemon=True)
                self._thread.start()
        self._order(subscription, add=True)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver nothing more; once for each subscription."""
        self._open.give_back(subscription.user_id)
        self._order(subscription, add=False)

    def notify(self, user_id: str) -> None:
        """Read a user's feed at once: something was written in this process."""
        if self._open.holds(user_id):
            self._notified.add(user_id)
            self._wake.set()

    def end(self) -> None:
        """End all subscriptions, since the process is about to end."""
        self._ended = True
        self._wake.set()

    def _order(self, subscription: Subscription, *, add: bool) -> None:
        self._orders.append((add, subscription))
        self._wake.set()

    def _run(self) -> None:
        polled = checked = kept_alive = time.monotonic()
        while not (self._ended or self._is_ending()):
            self._wake.wait(self._pause())
            self._wake.clear()
            self._carry_out()
            self._tell_at_once()
            now = time.monotonic()
            if now - polled >= self._options.interval:
                polled = now
                self._safely(self._poll_all)
            steps = [partial(self._step, one) for one in self._catching_up.values()]
            self._stuck = not all(map(self._safely, steps))
            if now - checked >= CHECK_SECONDS:
                checked = now
                self._safely(self._end_dead_sessions)
            if now - kept_alive >= SIGN_OF_LIFE_SECONDS:
                kept_alive = now
                for subscription in self._subscriptions():
                    subscription.receiver.send_sign_of_life()
        self._ended = True
        self._carry_out()
        for subscription in self._subscriptions():
            subscription.receiver.close(subscription.farewell)

    def _pause(self) -> float | None:
        """The seconds until something is to be done; None if somebody has to ask for it."""
        if not self._stuck and not all(each.is_waiting for each in self._catching_up.values()):
            return 0
        return self._options.interval if self._readers or self._catching_up else None

    def _carry_out(self) -> None:
        """Add and remove subscriptions as was asked for."""
        while self._orders:
            add, subscription = self._orders.popleft()
            if add:
                self._catching_up[subscription] = _CatchUp(self._feed, subscription, self._now)
            else:
                self._remove(subscription)

    def _reader(self, user_id: str) -> _Reader:
        if user_id not in self._readers:
            self._readers[user_id] = _Reader(self._feed, user_id, self._now)
        return self._readers[user_id]

    def _step(self, catching_up: _CatchUp) -> None:
        """Let a subscription go on, and hear of what is new once it has all that came before."""
        subscription = catching_up.subscription
        if subscription.after is not None:
            if not catching_up.step():
                return
            self._reader(subscription.user_id).poll()
            if not catching_up.step():  # committed meanwhile: the poll has seen all the rest
                return
        self._reader(subscription.user_id).add(subscription)
        del self._catching_up[subscription]

    def _remove(self, subscription: Subscription) -> None:
        self._catching_up.pop(subscription, None)
        reader = self._readers.get(subscription.user_id)
        if reader:
            reader.discard(subscription)
            if not reader.channels:
                del self._readers[subscription.user_id]

    def _subscriptions(self) -> Iterator[Subscription]:
        for reader in list(self._readers.values()):
            for channel in list(reader.channels.values()):
                yield from list(channel.subscriptions)
        yield from list(self._catching_up)

    def _end_dead_sessions(self) -> None:
        """End the subscriptions of sessions that have ended; each session is looked up once."""
        subscriptions = list(self._subscriptions())
        alive = {}
        for authorization in {each.authorization for each in subscriptions}:
            alive[authorization] = self._is_alive(authorization)
            self._tell_at_once()
        for subscription in subscriptions:
            if not alive[subscription.authorization]:
                subscription.receiver.close(subscription.farewell)

    def _poll_all(self) -> None:
        """Poll for all users, some at a time: mostly this waits for the store."""
        readers = list(self._readers.values())
        for start in range(0, len(readers), GROUP):
            group = readers[start : start + GROUP]
            found = self._threads.map(self._fresh, group) if len(group) > 1 else None
            for reader, changes in zip(group, found or map(self._fresh, group), strict=True):
                self._safely(partial(reader.deliver, changes))
            self._tell_at_once()

    def _fresh(self, reader: _Reader) -> list[Change]:
        found: list[Change] = []
        self._safely(lambda: found.extend(reader.fresh()))
        return found

    def _tell_at_once(self) -> None:
        """Deliver what was written here: nobody waits for the polls of all others."""
        for _ in range(len(self._notified)):
            reader = self._readers.get(self._notified.pop())
            if reader:
                self._safely(reader.glance)

    def _safely(self, act: Callable[[], object]) -> bool:
        """Act; False if that failed, to be tried again with the next poll."""
        try:
            act()
        except ServiceUnavailable:
            return False
        except Exception:
            log.exception("Live changes could not be delivered")
            return False
        return True
