"""Applied plans in DynamoDB, in their user's partition, so that they are deleted with the account.

user_id   item=plan#<id>#<part>   changes, expires_at; undone in the first part

The changes of a large plan exceed an item's 400 KB, and those of a very large one a transaction's
4 MB: they are divided among several parts. The first one is written last, and with it the plan is
there.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.plans.model import KEPT_FOR, Change
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Key, Put, codec, pages
from graphql_api.infra.dynamodb.codec import AttributeValue

PART_BYTES = 150_000  # of changes, unless one alone is larger: less than 250 KB
PARTS_PER_TRANSACTION = 12


@dataclass(frozen=True, slots=True)
class _Part:
    """One item of an applied plan; it expires at epoch seconds, as TTL attributes do."""

    changes: tuple[Change, ...]
    expires_at: int
    undone: bool = False
    parts: int | None = None  # of the plan, told by the first one


@dataclass(frozen=True, slots=True)
class Applied:
    """The changes of an applied plan, and whether it has been undone."""

    changes: tuple[Change, ...]
    undone: bool


class PlanStore:
    """Stores applied plans for `KEPT_FOR`, so that they can be repeated and undone."""

    def __init__(self, database: Database, *, rehearses: bool = False) -> None:
        """With `rehearses`, none is stored."""
        self._rehearses = rehearses
        self._database = database
        self._table = database.table("Users")

    def find(self, user_id: str, plan_id: str, now: datetime) -> Applied | None:
        """Find a user's applied plan; None if there is none or it has expired."""
        parts_of_plan = Key("user_id").eq(user_id) & Key("item").begins_with(f"plan#{plan_id}#")
        found = pages(lambda start: self._table.query(parts_of_plan, start=start, limit=100))
        items = [item for page in found for item in page]
        if not items or items[0]["item"]["S"] != _key(user_id, plan_id, 0)["item"]:
            return None
        first, *others = [codec.decode(_Part, item) for item in items]
        parts = [first, *others][: first.parts]
        if any(part.expires_at <= now.timestamp() for part in parts):
            return None
        changes = tuple(change for part in parts for change in part.changes)
        return Applied(changes, undone=any(part.undone for part in parts))

    def add(self, user_id: str, plan_id: str, changes: Sequence[Change], now: datetime) -> None:
        """Store the changes of a plan."""
        if self._rehearses:
            return
        expires = int((now + KEPT_FOR).timestamp())
        parts = list(_parts(changes))

        def put(at: int) -> Put:
            head = {"undone": False, "parts": len(parts)} if at == 0 else {}
            item = codec.item(**_key(user_id, plan_id, at), expires_at=expires, **head)
            return Put(self._table, {**item, "changes": {"L": parts[at]}})

        puts = list(map(put, range(len(parts))))
        for end in range(len(puts), 0, -PARTS_PER_TRANSACTION):
            self._database.transact(*puts[max(0, end - PARTS_PER_TRANSACTION) : end])

    def mark_undone(self, user_id: str, plan_id: str) -> None:
        """Mark a plan as undone, so that it is not applied any further."""
        if self._rehearses:
            return
        key = _key(user_id, plan_id, 0)
        try:
            self._table.update({"undone": True}, Attr("item").exists(), **key)
        except ConditionFailed:  # expired meanwhile
            return


def _parts(changes: Iterable[Change]) -> Iterator[list[AttributeValue]]:
    """Divide changes, as they are stored, into parts that fit into an item each; at least one."""
    part: list[AttributeValue] = []
    size = 0
    for change in map(codec.value, changes):
        more = len(json.dumps(change))
        if part and size + more > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(change)
        size += more
    yield part


def _key(user_id: str, plan_id: str, part: int) -> dict[str, str]:
    return {"user_id": user_id, "item": f"plan#{plan_id}#{part:03}"}
