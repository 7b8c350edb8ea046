"""Saved views in DynamoDB, in the table of users.

user_id     item             attributes
<user id>   view#<view id>   of `model.SavedView`
<user id>   views            count, of them, and version
"""

from collections.abc import Sequence

from graphql_api import ids
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.registers import Register
from graphql_api.domain.views.model import MAX_VIEWS, SavedView
from graphql_api.errors import ID, NotFound
from graphql_api.infra.dynamodb import (
    Attr,
    Condition,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    codec,
    pages,
)

PAGE = MAX_VIEWS

ViewKey = tuple[str, str]  # user id, view id

_decode = codec.decoder(SavedView)


class ViewStore:
    """Reads and writes the views of users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "views", "views")

    def all(self, user_id: str) -> list[SavedView]:
        """The user's views, the oldest first."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_item_of(""))
        found = pages(lambda start: self._table.query(where, start=start, limit=PAGE))
        return [_decode(item) for items in found for item in items]

    def get(self, user_id: str, view_id: str, field: str = ID) -> SavedView:
        """One of the user's views. Raises NotFound, with the field that has named it."""
        view = self.get_many([(user_id, view_id)]).get((user_id, view_id))
        if view is None:
            raise NotFound("View not found or access denied", field)
        return view

    def get_many(self, keys: Sequence[ViewKey]) -> dict[ViewKey, SavedView]:
        """Views by key; keys without a view are left out."""
        asked = [_key(*key) for key in keys if ids.is_id(key[1])]
        stored = map(_decode, self._table.get_many(asked))
        return {(each.user_id, each.view_id): each for each in stored}

    def add(self, view: SavedView) -> None:
        """Store a new view. Raises Conflict for too many, ConditionFailed for another count."""
        counted = self._register.adding(view.user_id, MAX_VIEWS)
        try:
            self._database.transact(
                Put(self._table, _item(view), Attr("item").not_exists()),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._find(view) != view:
                raise

    def add_imported(self, view: SavedView) -> bool:
        """Store an imported view; False if the user has one of this id, which stays as it is.

        Raises Conflict for too many.
        """
        if self._find(view):
            return False
        retry_on_conflict(lambda: self.add(view))
        return True

    def replace(self, before: SavedView, after: SavedView) -> None:
        """Store the next state of a view. Raises ConditionFailed if it has changed."""
        self._table.put(_item(after), _unchanged(before))

    def remove(self, view: SavedView) -> None:
        """Delete a view. Raises ConditionFailed if it has changed, or for another count."""
        counted = self._register.removing(view.user_id)
        try:
            self._database.transact(
                Delete(self._table, _key(view.user_id, view.view_id), _unchanged(view)),
                counted,
            )
        except ConditionFailed as failure:
            if not failure.maybe_applied or self._find(view):
                raise

    def _find(self, view: SavedView) -> SavedView | None:
        key = (view.user_id, view.view_id)
        return self.get_many([key]).get(key)


def _unchanged(before: SavedView) -> Condition:
    return Attr("version").eq(before.version)


def _item_of(view_id: str) -> str:
    return f"view#{view_id}"


def _key(user_id: str, view_id: str) -> dict[str, str]:
    return {"user_id": user_id, "item": _item_of(view_id)}


def _item(view: SavedView) -> Item:
    return {**codec.encode(view), **codec.item(**_key(view.user_id, view.view_id))}
