"""Settings in DynamoDB.

    user_id   item=settings   attributes of `model.Settings`

They are not part of the profile, which every uncached request reads.
"""

from collections.abc import Sequence

from graphql_api.domain.settings.model import Settings
from graphql_api.infra.dynamodb import Attr, Database, codec

ITEM = "settings"


class SettingsStore:
    """Stores settings; a user without an item has the defaults."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def get(self, user_id: str) -> Settings:
        """Read a user's settings."""
        return self.get_many([user_id])[user_id]

    def get_many(self, user_ids: Sequence[str]) -> dict[str, Settings]:
        """Read the settings of several users, by user id."""
        items = self._table.get_many([{"user_id": key, "item": ITEM} for key in user_ids])
        stored = [codec.decode(Settings, item) for item in items]
        defaults = {key: Settings(user_id=key) for key in user_ids}
        return defaults | {settings.user_id: settings for settings in stored}

    def replace(self, before: Settings, after: Settings) -> None:
        """Replace the settings. Raises ConditionFailed if they have changed since `before`."""
        absent = Attr("item").not_exists()
        unchanged = Attr("version").eq(before.version) if before.version else absent
        self._table.put({"item": codec.value(ITEM), **codec.encode(after)}, unchanged)
