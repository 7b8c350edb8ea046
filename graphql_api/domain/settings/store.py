"""Settings in DynamoDB: an item of their own in the user's partition, so that profiles stay small.

user_id   item=settings   attributes of `model.Settings`
"""

from collections.abc import Sequence

from graphql_api.domain.settings.model import Settings
from graphql_api.infra.dynamodb import Attr, Database, codec

ITEM = "settings"


class SettingsStore:
    """Keeps each user's settings."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def get(self, user_id: str) -> Settings:
        """The user's settings, or the defaults."""
        return self.get_many([user_id])[user_id]

    def get_many(self, user_ids: Sequence[str]) -> dict[str, Settings]:
        """Settings by the ids of their users, or the defaults."""
        items = self._table.get_many([{"user_id": key, "item": ITEM} for key in user_ids])
        kept = [codec.decode(Settings, item) for item in items]
        defaults = {key: Settings(user_id=key) for key in user_ids}
        return defaults | {settings.user_id: settings for settings in kept}

    def replace(self, before: Settings, after: Settings) -> None:
        """Put the next state in place; ConditionFailed if it is another now."""
        new = Attr("item").not_exists()
        same = Attr("version").eq(before.version) if before.version else new
        self._table.put({"item": codec.value(ITEM), **codec.encode(after)}, same)
