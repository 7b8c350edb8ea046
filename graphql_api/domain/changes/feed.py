"""Reading a user's feed: pages of changes, and the history of one task."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graphql_api import ids
from graphql_api.domain.changes.model import Change, Position
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.infra.dynamodb import Action

LOOK_BACK = timedelta(days=1)  # for all changes since an instant


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Changes in the order of their ids, and the position to go on from."""

    changes: list[Change]
    end: Position
    more: bool


class Feed:
    """Serves readers of changes; the first argument is always whose changes they are."""

    def __init__(
        self, store: ChangeStore, told: Callable[[Sequence[Change]], list[Change]] = list
    ) -> None:
        """`told` picks the changes that readers may hear of."""
        self._store, self._told = store, told

    def narrowed(self, told: Callable[[Sequence[Change]], list[Change]]) -> "Feed":
        """The same feed to a reader who hears less of it."""
        return Feed(self._store, lambda changes: told(self._told(changes)))

    def page(self, user_id: str, position: Position, first: int, now: datetime) -> FeedPage:
        """Up to `first` changes behind a position, and those that must come before them.

        The changes of the last WINDOW come again with the next pass, so that none is missed that
        was committed late. Those of one task always come in the order of its versions: for this a
        pass of several pages ends where it was begun, and begins anew if a change has appeared
        behind it that a later one of its task may follow.
        """
        found = self._store.after(user_id, position.after, first + 1, now)
        more, within = len(found) > first, position.in_pass(now)
        if more or position.floor:
            found = [change for change in found if change.change_id < within.until]
            more = len(found) > first
        changes = found[:first]
        if position.floor and self._has_missed(user_id, changes, position, position.floor):
            return self.page(user_id, Position(position.floor, position.floor), first, now)
        last = changes[-1].change_id if changes else None
        ordered = self._in_order(user_id, changes, position)
        floor = within.floor or position.after
        if more and last:
            read = within.read + sum(change.change_id > floor for change in ordered)
            return FeedPage(self._told(ordered), Position(last, floor, read), more)
        return FeedPage(self._told(ordered), Position(floor), more=False)

    def _has_missed(
        self, user_id: str, changes: list[Change], position: Position, floor: str
    ) -> bool:
        """Tell whether changes have appeared behind this pass that might come before these."""
        follow = any(
            change.previous and floor < change.previous <= position.after for change in changes
        )
        return follow and self._store.count(user_id, floor, position.after) != position.read

    def _in_order(self, user_id: str, page: list[Change], position: Position) -> list[Change]:
        """Put before a change its task's earlier one, if that was committed during this page."""
        seen: set[str] = set()
        ordered: list[Change] = []
        for change in page:
            missed = []
            at = change.previous
            while at is not None and at > position.after and at not in seen:
                earlier = self._store.find(user_id, at)
                if earlier is None:
                    break
                missed.append(earlier)
                seen.add(at)
                at = earlier.previous
            ordered += [*reversed(missed), change]
            seen.add(change.change_id)
        return ordered

    def since(self, user_id: str, at: datetime, now: datetime) -> list[Change] | None:
        """All changes after an instant; None if they are too many, or it is longer ago than a day.

        Also those that readers may not hear of: what has to be known of them is not shown.
        """
        if now - at > LOOK_BACK:
            return None
        return self._store.all_after(user_id, ids.first_id(at), now)

    def find(self, user_id: str, change_id: str) -> Change | None:
        """One of the user's changes, if it is still kept."""
        return self.find_many(user_id, [change_id]).get(change_id)

    def find_many(self, user_id: str, change_ids: Sequence[str]) -> dict[str, Change]:
        """The user's changes of these distinct ids, as far as they are kept and may be told."""
        found = self._store.find_many(user_id, change_ids)
        told = self._told(list(found.values())) if found else []
        return {change.change_id: change for change in told}

    def find_many_for_checks(self, user_id: str, change_ids: Sequence[str]) -> dict[str, Change]:
        """The user's changes of these ids, also those that no answer may have."""
        return self._store.find_many(user_id, change_ids)

    def tells(self, change: Change) -> bool:
        """Return whether readers may hear of a change."""
        return bool(self._told([change]))

    def undone(self, change: Change, by: str) -> Action:
        """The action that notes, once, by which other one a change was taken back."""
        return self._store.undone(change, by)

    def position(self, text: str, now: datetime) -> Position:
        """The position of a cursor's text. Raises BadUserInput and CursorExpired."""
        return Position.parse(text, now, self._store.retention)

    def start(self, now: datetime) -> Position:
        """The position before the oldest change that is kept."""
        return Position.start(now, self._store.retention)

    def history(self, user_id: str, newest: str | None) -> Iterator[Change]:
        """One task's changes from the newest back, read one by one as they are asked for.

        It ends at the task's creation, or where changes are no longer kept.
        """
        at = newest
        while at is not None and (change := self._store.find(user_id, at)):
            yield change
            at = change.previous
