"""Applied plans in DynamoDB, in their user's partition, so that they are deleted with the account.

user_id   item=plan#<id>#<part>   changes, expires_at; undone in the first part

The changes of a large plan exceed an item's 400 KB, and are divided among several parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.plans.model import KEPT_FOR, Change
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Key, Put, codec, pages

CHANGES_PER_PART = 500  # about 100 KB


@dataclass(frozen=True, slots=True)
class _Part:
    """One item of an applied plan; it expires at epoch seconds, as TTL attributes do."""

    changes: tuple[Change, ...]
    expires_at: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """The changes of an applied plan, and whether it has been undone."""

    changes: tuple[Change, ...]
    undone: bool


class PlanStore:
    """Stores applied plans for `KEPT_FOR`, so that they can be repeated and undone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")

    def find(self, user_id: str, plan_id: str, now: datetime) -> Applied | None:
        """Find a user's applied plan; None if there is none or it has expired."""
        parts_of_plan = Key("user_id").eq(user_id) & Key("item").begins_with(f"plan#{plan_id}#")
        found = pages(lambda start: self._table.query(parts_of_plan, start=start, limit=100))
        parts = [codec.decode(_Part, item) for items in found for item in items]
        if not parts or any(part.expires_at <= now.timestamp() for part in parts):
            return None
        changes = tuple(change for part in parts for change in part.changes)
        return Applied(changes, undone=any(part.undone for part in parts))

    def add(self, user_id: str, plan_id: str, changes: Sequence[Change], now: datetime) -> None:
        """Store the changes of a plan in one transaction."""
        expires = int((now + KEPT_FOR).timestamp())
        starts = range(0, max(1, len(changes)), CHANGES_PER_PART)
        parts = [
            _Part(tuple(changes[start : start + CHANGES_PER_PART]), expires) for start in starts
        ]
        self._database.transact(
            *(
                Put(self._table, {**codec.item(**_key(user_id, plan_id, at)), **codec.encode(part)})
                for at, part in enumerate(parts)
            )
        )

    def mark_undone(self, user_id: str, plan_id: str) -> None:
        """Mark a plan as undone, so that it is not applied any further."""
        key = _key(user_id, plan_id, 0)
        try:
            self._table.update({"undone": True}, Attr("item").exists(), **key)
        except ConditionFailed:  # expired meanwhile
            return


def _key(user_id: str, plan_id: str, part: int) -> dict[str, str]:
    return {"user_id": user_id, "item": f"plan#{plan_id}#{part:03}"}
