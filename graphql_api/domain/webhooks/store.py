"""Webhooks and deliveries in DynamoDB, in the table of users.

    user_id                        item                      attributes
    <user id>                      webhook#<webhook id>      of `model.Webhook`
    <user id>                      webhooks                  count, of them, and version
    deliveries#<user id>           <delivery id>             of a pending `model.Delivery`
    deliveries#<user id>#<Monday>  <delivery id>             of a finished one, expires_at
    webhooks#lanes                 <user id>                 due_at (Unix milliseconds)

A user with webhooks has a lane: when a dispatcher has to look after them. It is claimed by moving
`due_at`, and set to now by whoever writes. A delivery's id begins with its webhook's, and ends
with an id that has its week; finished ones lie in partitions that stay small on every engine.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from graphql_api import ids
from graphql_api.domain.registers import Register
from graphql_api.domain.webhooks.model import KEPT_FOR, MAX_WEBHOOKS, Delivery, Webhook
from graphql_api.errors import ID, NotFound
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import (
    Attr,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    ItemPage,
    Key,
    Put,
    codec,
    pages,
)

LANES = "webhooks#lanes"
PENDING_LIFETIME = timedelta(days=30)  # after which the table's TTL deletes what nobody has sent
PAGE = 500
LAST = "g"  # sorts behind all hexadecimal digits

# What a user or a receiver changes; the position in the feed is the dispatcher's alone.
_EDITED = (
    *("url", "kinds", "filter", "status", "disabled_reason"),
    *("secret", "old_secrets", "updated_at", "version"),
)


@dataclass(frozen=True, slots=True)
class Lane:
    """The time at which a dispatcher has to look after a user's webhooks."""

    item: str  # the user's id
    due_at: int  # Unix milliseconds


class WebhookStore:
    """Keeps webhooks, what is to be delivered, and what was."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "webhooks", "webhooks")

    # Webhooks

    def all(self, user_id: str) -> list[Webhook]:
        """The user's webhooks, the oldest first."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_webhook_item(""))
        found = pages(partial(self._page, where))
        return [codec.decode(Webhook, item) for items in found for item in items]

    def get(self, user_id: str, webhook_id: str, field: str = ID) -> Webhook:
        """One of the user's webhooks. Raises NotFound, with the field that has named it."""
        item = None
        if ids.is_time_ordered(webhook_id):
            item = self._table.get(user_id=user_id, item=_webhook_item(webhook_id))
        if item is None:
            raise NotFound("Webhook not found or access denied", field)
        return codec.decode(Webhook, item)

    def add(self, webhook: Webhook, now: datetime) -> None:
        """Store a new webhook. Raises Conflict for too many, ConditionFailed for another count."""
        counted = self._register.adding(webhook.user_id, MAX_WEBHOOKS)
        key = _webhook_key(webhook)
        item = {**codec.encode(webhook), **codec.item(**key)}
        try:
            self._database.transact(
                Put(self._table, item, Attr("item").not_exists()),
                counted,
                self._lane(webhook.user_id, now),
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._table.get(**key) is None:
                raise

    def remove(self, webhook: Webhook) -> None:
        """Delete a webhook. Raises ConditionFailed if it is gone, or for another count."""
        counted = self._register.removing(webhook.user_id)
        key = _webhook_key(webhook)
        try:
            self._database.transact(
                Delete(self._table, key, Attr("item").exists()),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._table.get(**key) is not None:
                raise

    def replace(self, before: Webhook, after: Webhook) -> None:
        """Store what was edited. Raises ConditionFailed if somebody else has edited it."""
        values = {name: getattr(after, name) for name in _EDITED}
        unchanged = Attr("version").eq(before.version)
        try:
            self._table.update(values, unchanged, **_webhook_key(after))
        except ConditionFailed as failure:
            if not failure.maybe_applied or not self._is_stored(after):
                raise

    def _is_stored(self, after: Webhook) -> bool:
        """Tell whether an edit whose response was lost was carried out."""
        found = self.get(after.user_id, after.webhook_id)
        return all(getattr(found, name) == getattr(after, name) for name in _EDITED)

    def move(self, webhook: Webhook, position: str) -> None:
        """Move a webhook's place in the feed on, unless another dispatcher has moved it."""
        self._note(webhook, Attr("position").eq(webhook.position), position=position)

    def note_success(self, webhook: Webhook, now: datetime) -> None:
        """Remember that the webhook's receiver has accepted something."""
        self._note(webhook, Attr("item").exists(), succeeded_at=now)

    def _note(self, webhook: Webhook, condition: Condition, **values: str | datetime) -> None:
        with contextlib.suppress(ConditionFailed):
            self._table.update(values, condition, **_webhook_key(webhook))

    # Deliveries

    def pending(self, user_id: str) -> list[Delivery]:
        """The user's pending deliveries by webhook, each one's in the order of their ids."""
        where = Key("user_id").eq(_pending(user_id))
        found = pages(partial(self._page, where))
        return [_delivery(item) for items in found for item in items]

    def known(self, deliveries: Sequence[Delivery]) -> set[str]:
        """The ids of those that are stored already, pending or finished."""
        keys = [key for each in deliveries for key in (_pending_key(each), _finished_key(each))]
        return {item["item"]["S"] for item in self._table.get_many(keys)}

    def add_pending(self, delivery: Delivery) -> bool:
        """Store a new delivery; False if it is there already."""
        try:
            self._table.put(_pending_item(delivery), Attr("item").not_exists())
        except ConditionFailed:
            return False
        return True

    def add_requested(self, delivery: Delivery, now: datetime) -> None:
        """Store a delivery that the user has asked for, and see that a dispatcher looks."""
        put = Put(self._table, _pending_item(delivery), Attr("item").not_exists())
        with contextlib.suppress(ConditionFailed):  # its id is new: then an answer was lost
            self._database.transact(put, self._lane(delivery.user_id, now))

    def begin(self, before: Delivery, after: Delivery) -> bool:
        """Claim a try; False if another process has, or the delivery is gone."""
        values = {
            "attempts": after.attempts,
            "last_try_at": after.last_try_at,
            "next_try_at": after.next_try_at,
        }
        unchanged = Attr("attempts").eq(before.attempts)
        try:
            self._table.update(values, unchanged, **_pending_key(before))
        except ConditionFailed as failure:
            return failure.maybe_applied and self._is_ours(after)
        return True

    def _is_ours(self, after: Delivery) -> bool:
        found = self._table.get(**_pending_key(after))
        return found is not None and _delivery(found) == after

    def postpone(self, delivery: Delivery) -> None:
        """Store when a delivery is tried again, if its try is still ours."""
        item, ours = _pending_item(delivery), Attr("attempts").eq(delivery.attempts)
        with contextlib.suppress(ConditionFailed):
            self._table.put(item, ours)

    def finish(self, delivery: Delivery) -> None:
        """Move a delivery that has ended to the finished ones."""
        expires = int((delivery.created_at + KEPT_FOR).timestamp())
        item = {
            **codec.encode(delivery),
            **codec.item(**_finished_key(delivery), expires_at=expires),
        }
        ours = Attr("attempts").eq(delivery.attempts)
        with contextlib.suppress(ConditionFailed):  # its webhook is gone, or a try was later
            self._database.transact(
                Put(self._table, item), Delete(self._table, _pending_key(delivery), ours)
            )

    def drop(self, deliveries: Sequence[Delivery]) -> None:
        """Delete pending deliveries, whose webhook is gone."""
        self._table.delete_many(list(map(_pending_key, deliveries)))

    def find(self, user_id: str, delivery_id: str) -> Delivery:
        """One of the user's deliveries. Raises NotFound."""
        found = self.find_many(user_id, [delivery_id])
        if not found:
            raise NotFound("Delivery not found or access denied", "delivery_id")
        return found[delivery_id]

    def find_many(self, user_id: str, delivery_ids: Sequence[str]) -> dict[str, Delivery]:
        """The user's deliveries of these distinct ids, as far as there are any."""
        keys = [
            {"user_id": partition, "item": delivery_id}
            for delivery_id in delivery_ids
            for partition in _partitions(user_id, delivery_id)
        ]
        found = map(_delivery, self._table.get_many(keys))
        return {delivery.delivery_id: delivery for delivery in found}

    def finished(
        self, user_id: str, webhook_id: str, before: str | None, now: datetime
    ) -> Iterator[Delivery]:
        """A webhook's finished deliveries, the newest first, of ids before one; week by week."""
        for monday in _weeks(now - KEPT_FOR, ids.instant(before) if before else now):
            extend_deadline()
            where = Key("user_id").eq(_finished(user_id, monday)) & Key("item").between(
                f"{webhook_id}_", f"{webhook_id}_{before or LAST}"
            )
            for items in pages(partial(self._page, where, descending=True)):
                yield from map(_delivery, items)

    def _page(self, where: Condition, start: Item | None, *, descending: bool = False) -> ItemPage:
        return self._table.query(where, start=start, descending=descending, limit=PAGE)

    # Lanes

    def lanes(self) -> list[Lane]:
        """The lanes of all users with webhooks."""
        where = Key("user_id").eq(LANES)
        found = pages(partial(self._page, where))
        return [codec.decode(Lane, item) for items in found for item in items]

    def claim_lane(self, lane: Lane, until: datetime) -> Lane | None:
        """Move a lane's time on; None if it has been moved since it was read."""
        claimed = Lane(lane.item, _milliseconds(until))
        key = {"user_id": LANES, "item": lane.item}
        try:
            self._table.update({"due_at": claimed.due_at}, Attr("due_at").eq(lane.due_at), **key)
        except ConditionFailed:
            return None
        return claimed

    def hasten(self, user_id: str, at: datetime) -> None:
        """Have a dispatcher look after a user's webhooks by this time, if there are any."""
        due = _milliseconds(at)
        with contextlib.suppress(ConditionFailed):
            key = {"user_id": LANES, "item": user_id}
            self._table.update({"due_at": due}, Attr("due_at").gt(due), **key)

    def close_lane(self, lane: Lane) -> None:
        """Remove a lane that was claimed, if nobody has asked for it since."""
        with contextlib.suppress(ConditionFailed):
            claimed = Attr("due_at").eq(lane.due_at)
            self._table.delete(claimed, user_id=LANES, item=lane.item)

    def _lane(self, user_id: str, at: datetime) -> Put:
        key = {"user_id": LANES, "item": user_id}
        return Put(self._table, codec.item(**key, due_at=_milliseconds(at)))

    def remove_all(self, user_id: str, now: datetime) -> None:
        """Delete what lies outside of the user's own partition."""
        self._table.delete_many([{"user_id": LANES, "item": user_id}])
        self._remove(_pending(user_id))
        # A delivery's week is that of its change, which may have waited in the feed.
        oldest, tomorrow = now - KEPT_FOR - PENDING_LIFETIME, now + timedelta(days=1)
        for monday in _weeks(oldest, tomorrow):
            self._remove(_finished(user_id, monday))

    def _remove(self, partition: str) -> None:
        extend_deadline()
        for items in pages(partial(self._page, Key("user_id").eq(partition))):
            keys = [{"user_id": partition, "item": item["item"]["S"]} for item in items]
            self._table.delete_many(keys)


def _webhook_item(webhook_id: str) -> str:
    return f"webhook#{webhook_id}"


def _webhook_key(webhook: Webhook) -> dict[str, str]:
    return {"user_id": webhook.user_id, "item": _webhook_item(webhook.webhook_id)}


def _pending(user_id: str) -> str:
    return f"deliveries#{user_id}"


def _finished(user_id: str, monday: date) -> str:
    return f"deliveries#{user_id}#{monday.isoformat()}"


def _partitions(user_id: str, delivery_id: str) -> list[str]:
    """The partitions where a delivery may lie, pending or finished; none of what is no such id."""
    webhook_id, _, own_id = delivery_id.partition("_")
    if not (ids.is_time_ordered(webhook_id) and ids.is_time_ordered(own_id)):
        return []
    return [_pending(user_id), _finished(user_id, _monday(ids.instant(own_id)))]


def _weeks(first: datetime, last: datetime) -> Iterator[date]:
    """The weeks (UTC) between two instants, by their Mondays, the last one first."""
    monday, end = _monday(last), _monday(first)
    while monday >= end:
        yield monday
        monday -= timedelta(days=7)


def _monday(at: datetime) -> date:
    return at.date() - timedelta(days=at.weekday())


def _pending_key(delivery: Delivery) -> dict[str, str]:
    return {"user_id": _pending(delivery.user_id), "item": delivery.delivery_id}


def _finished_key(delivery: Delivery) -> dict[str, str]:
    finished = _finished(delivery.user_id, _monday(ids.instant(delivery.own_id)))
    return {"user_id": finished, "item": delivery.delivery_id}


def _pending_item(delivery: Delivery) -> Item:
    expires = int((delivery.created_at + PENDING_LIFETIME).timestamp())
    key = _pending_key(delivery)
    return {**codec.encode(delivery), **codec.item(**key, expires_at=expires)}


def _delivery(item: Item) -> Delivery:
    owner = item["user_id"]["S"].split("#")[1]
    return codec.decode(Delivery, {**item, "user_id": {"S": owner}})


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000)
