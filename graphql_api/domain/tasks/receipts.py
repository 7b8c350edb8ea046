"""Receipts of idempotency keys: a request that comes again is answered, and not done again.

user_id   item=idempotency#<key>   content, expires_at, and what the answer is made of

A receipt is written in the transaction of what it is for. So of two requests with one key, one is
carried out; the other one finds the receipt when it tries again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Put, codec

T = TypeVar("T")

MAX_KEY_LENGTH = 255  # characters of an idempotency key
KEY_TTL = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The use of an idempotency key: a digest of the key and one of what was asked for.

    Times are in epoch seconds, as DynamoDB's TTL is.
    """

    user_id: str
    key: str
    content: str
    now: int
    expires_at: int

    @classmethod
    def of(cls, user_id: str, key: str, content: str, now: datetime) -> "Receipt":
        """The use of a key with a content now. Raises BadUserInput."""
        if not 1 <= len(key) <= MAX_KEY_LENGTH:
            raise BadUserInput(
                f"An idempotency key must have 1 to {MAX_KEY_LENGTH} characters.", "idempotency_key"
            )
        digest = hashlib.sha256(key.encode()).hexdigest()
        expires = now + KEY_TTL
        return cls(user_id, digest, content, int(now.timestamp()), int(expires.timestamp()))

    @classmethod
    def of_request(
        cls, user_id: str, key: str | None, operation: str, given: Mapping[str, Any], now: datetime
    ) -> "Receipt | None":
        """The use of a key by an operation with what it was given; None without a key."""
        if key is None:
            return None
        content = json.dumps([operation, sorted(given), codec.item(**given)], sort_keys=True)
        return cls.of(user_id, key, hashlib.sha256(content.encode()).hexdigest(), now)


@dataclass(frozen=True, slots=True)
class Made:
    """The answer of a write of tasks: what it wrote, by which the answer is made again."""

    task_id: str
    next_id: str | None = None
    merged: bool = False


class Receipts:
    """Receipts in their user's partition of the table of users."""

    def __init__(self, database: Database, *, rehearses: bool = False) -> None:
        """With `rehearses`, none is stored."""
        self._table = database.table("Users")
        self._rehearses = rehearses

    def find(self, receipt: Receipt | None, answer: type[T]) -> T | None:
        """The answer that was given with this key; None for a new key, or without one.

        Raises Conflict for a key that was used with other content.
        """
        item = self._table.get(**_key(receipt)) if receipt else None
        if receipt is None or item is None or int(item["expires_at"]["N"]) < receipt.now:
            return None
        if item["content"]["S"] != receipt.content:
            raise Conflict(
                "This idempotency key was used with other content before.", field="idempotency_key"
            )
        return codec.decode(answer, item)

    def once(
        self, receipt: Receipt | None, write: Callable[[], T], again: Callable[[Made], T]
    ) -> T:
        """Carry out a write of tasks, or answer `again` what this key has made before.

        What the same key has made meanwhile may be why the write is refused. Raises Conflict for
        a key that was used with other content, and as the write does.
        """
        if made := self.find(receipt, Made):
            return again(made)
        try:
            return write()
        except (Conflict, BadUserInput):
            if made := self.find(receipt, Made):
                return again(made)
            raise

    def put(self, receipt: Receipt, answer: object) -> Put:
        """The action that stores a receipt, unless there is one."""
        unused = Attr("item").not_exists() | Attr("expires_at").lt(receipt.now)
        kept = codec.item(**_key(receipt), content=receipt.content, expires_at=receipt.expires_at)
        return Put(self._table, {**codec.encode(answer), **kept}, unused)

    def beside(self, receipt: Receipt | None, answer: object) -> list[Put]:
        """The action as part of a transaction; none without a key."""
        return [self.put(receipt, answer)] if receipt else []

    def keep(self, receipt: Receipt | None, answer: object) -> None:
        """Store the receipt of what can be repeated; that of somebody faster stays."""
        if receipt and not self._rehearses:
            put = self.put(receipt, answer)
            with suppress(ConditionFailed):
                self._table.put(put.item, put.condition)


def _key(receipt: Receipt) -> dict[str, str]:
    return {"user_id": receipt.user_id, "item": f"idempotency#{receipt.key}"}
