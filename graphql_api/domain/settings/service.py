"""Change settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore


class UserSettings:
    """The operations on settings that GraphQL and REST offer."""

    def __init__(self, store: SettingsStore, relocations: Relocations) -> None:
        self._store, self._relocations = store, relocations

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> Settings:
        """Change fields; return the new settings. Raises BadUserInput and Conflict.

        With another time zone, due days begin and end by that: at once, or soon if they are many.
        """

        def attempt() -> tuple[Settings, Settings]:
            before = self._store.get(user_id)
            after = before.edit(changes)
            if after is not before:
                is_moving = after.timezone != before.timezone
                beside = [self._relocations.begin(after, now)] if is_moving else []
                self._store.replace(before, after, *beside)
            return before, after

        before, after = retry_on_conflict(attempt)
        if after.timezone != before.timezone:
            self._relocations.finish(after)
        return after
