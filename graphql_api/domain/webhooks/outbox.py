"""The outbox: from a webhook's place in the change feed to its deliveries, each made once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from graphql_api.domain.changes.feed import Feed, FeedPage
from graphql_api.domain.changes.model import WINDOW, Change, Position
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.tasks.filters import TaskFilter, Viewpoint
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.webhooks.model import Delivery, Webhook
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.errors import CursorExpired

PAGE = 100  # changes read at a time
MAX_PENDING = 500  # deliveries of a webhook; further changes wait in the feed
OLD = timedelta(days=1)  # a position of this age is moved even if there is nothing new


@dataclass(frozen=True, slots=True)
class Collected:
    """New deliveries of a webhook, and whether there are more changes to read at once.

    Of a webhook that is `full` nothing was read: too much of it waits.
    """

    deliveries: list[Delivery]
    more: bool
    full: bool = False


@dataclass(slots=True)
class Reading:
    """The changes read of one user during one look; webhooks at the same place share them."""

    user_id: str
    now: datetime
    pages: dict[str, FeedPage] = field(default_factory=dict)
    tasks: dict[str, Task | None] = field(default_factory=dict)
    blocked_ids: Collection[str] | None = None


class Outbox:
    """Makes deliveries of changes."""

    def __init__(
        self,
        store: WebhookStore,
        feed: Feed,
        tasks: TaskStore,
        dependencies: DependencyStore,
        body: Callable[[Change, datetime], str],
    ) -> None:
        """`body` renders the payload of a change."""
        self._store, self._feed = store, feed
        self._tasks, self._dependencies = tasks, dependencies
        self._body = body
        self._seen: dict[tuple[str, str], datetime] = {}  # webhook and change: when it happened

    def collect(self, webhook: Webhook, pending: int, reading: Reading) -> Collected:
        """Store deliveries of what is new to a webhook, then move its place in the feed.

        The changes of the last seconds are read with each look: those that have their delivery
        already, or are no business of this webhook, are known by memory or else by the store.
        """
        if pending > MAX_PENDING - PAGE:
            return Collected([], more=False, full=True)
        page = self._page(webhook, reading)
        fresh = [
            each for each in page.changes if (webhook.webhook_id, each.change_id) not in self._seen
        ]
        deliveries = self._deliveries(webhook, fresh, reading)
        known = self._store.known(deliveries)
        new = [each for each in deliveries if each.delivery_id not in known]
        added = [each for each in new if self._store.add_pending(each)]
        # A pass sees nothing newer than its beginning, until its end is stored.
        in_pass = Position.is_within_pass(webhook.position)
        if fresh or page.more or in_pass or self._is_old(webhook, reading.now):
            self._store.move(webhook, str(page.end))
        self._remember(webhook, fresh, reading.now)
        return Collected(added, page.more)

    def _page(self, webhook: Webhook, reading: Reading) -> FeedPage:
        """The page of the feed at a webhook's place; of one too old, at the oldest that is kept."""
        if webhook.position not in reading.pages:
            try:
                position = self._feed.position(webhook.position, reading.now)
            except CursorExpired:
                position = self._feed.start(reading.now)
            found = self._feed.page(reading.user_id, position, PAGE, reading.now)
            reading.pages[webhook.position] = found
        return reading.pages[webhook.position]

    def _deliveries(
        self, webhook: Webhook, changes: list[Change], reading: Reading
    ) -> list[Delivery]:
        if webhook.filter != TaskFilter():
            self._read_tasks(changes, reading)
        blocked_ids = self._blocked_ids(reading) if webhook.filter.asks_blockers else ()
        at = Viewpoint(reading.now, blocked_ids=blocked_ids)
        return [
            Delivery.of_change(webhook, change, self._body(change, reading.now), reading.now)
            for change in changes
            if webhook.wants(change, reading.tasks.get(change.task_id), at)
        ]

    def _read_tasks(self, changes: list[Change], reading: Reading) -> None:
        missing = {change.task_id for change in changes} - reading.tasks.keys()
        found = self._tasks.get_many([(reading.user_id, task_id) for task_id in missing])
        reading.tasks |= {task_id: found.get((reading.user_id, task_id)) for task_id in missing}

    def _blocked_ids(self, reading: Reading) -> Collection[str]:
        if reading.blocked_ids is None:
            reading.blocked_ids = self._dependencies.get(reading.user_id).blocked_ids
        return reading.blocked_ids

    def _is_old(self, webhook: Webhook, now: datetime) -> bool:
        return webhook.position < str(Position.end(now - OLD))

    def _remember(self, webhook: Webhook, changes: list[Change], now: datetime) -> None:
        self._seen.update({(webhook.webhook_id, each.change_id): each.at for each in changes})
        if len(self._seen) > 10 * PAGE:
            self._seen = {key: at for key, at in self._seen.items() if at > now - 2 * WINDOW}
