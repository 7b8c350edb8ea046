"""Change settings."""

from collections.abc import Mapping
from typing import Any

from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore


class UserSettings:
    """The operations on settings that GraphQL and REST offer."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store

    def update(self, user_id: str, changes: Mapping[str, Any]) -> Settings:
        """Change fields; return the new settings. Raises BadUserInput and Conflict."""

        def attempt() -> Settings:
            before = self._store.get(user_id)
            after = before.edit(changes)
            if after is not before:
                self._store.replace(before, after)
            return after

        return retry_on_conflict(attempt)
