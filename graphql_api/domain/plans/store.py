"""Applied plans in DynamoDB, among the items of their user, so that they go with the account.

user_id   item=plan#<id>#<part>   changes, expires_at; undone in the first part

A plan's changes do not fit into one item: each part has so many of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.plans.model import KEPT_FOR, Change
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Key, Put, codec, looks

CHANGES = 500  # a part: of DynamoDB's 400 KB for an item, a quarter


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an applied plan; the expiry in epoch seconds, as TTL is."""

    changes: tuple[Change, ...]
    expires_at: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan that was applied: its changes, and whether they were to be undone since."""

    changes: tuple[Change, ...]
    undone: bool


class PlanStore:
    """Keeps what plans have changed, for a while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def find(self, user_id: str, plan_id: str, now: datetime) -> Applied | None:
        """The user's applied plan of this id, if it is still kept."""
        mine = Key("user_id").eq(user_id) & Key("item").begins_with(f"plan#{plan_id}#")
        found = looks(lambda start: self._table.query(mine, start=start, limit=100))
        parts = [codec.decode(_Part, item) for items in found for item in items]
        if not parts or any(part.expires_at <= now.timestamp() for part in parts):
            return None
        changes = tuple(change for part in parts for change in part.changes)
        return Applied(changes, undone=any(part.undone for part in parts))

    def add(self, user_id: str, plan_id: str, changes: Sequence[Change], now: datetime) -> None:
        """Keep the changes of a plan, all of them or none."""
        expires = int((now + KEPT_FOR).timestamp())
        starts = range(0, max(1, len(changes)), CHANGES)
        parts = [_Part(tuple(changes[start : start + CHANGES]), expires) for start in starts]
        self._database.write(
            *(
                Put(self._table, {**codec.item(**_key(user_id, plan_id, at)), **codec.encode(part)})
                for at, part in enumerate(parts)
            )
        )

    def mark_undone(self, user_id: str, plan_id: str) -> None:
        """Note that a plan is to be undone, so that nobody goes on applying it."""
        key = _key(user_id, plan_id, 0)
        try:
            self._table.change({"undone": True}, Attr("item").exists(), **key)
        except ConditionFailed:  # it has expired meanwhile
            return


def _key(user_id: str, plan_id: str, part: int) -> dict[str, str]:
    return {"user_id": user_id, "item": f"plan#{plan_id}#{part:03}"}
