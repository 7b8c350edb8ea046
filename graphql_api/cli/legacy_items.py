"""What the older program kept, as what it is now. Pure; an item that cannot be, is BadUserInput.

Users   key username   user_id, password (werkzeug's hash)
Tasks   key task_id    user_id, title, description, status
"""

from datetime import datetime

from graphql_api import clock
from graphql_api.domain.accounts import legacy_hashes
from graphql_api.domain.accounts.model import User, username_key
from graphql_api.domain.tasks.model import TITLE_LENGTH, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput
from graphql_api.ids import is_id
from graphql_api.infra.dynamodb import Item

_RESERVED = {"nobody"}  # see accounts.store


def text(item: Item, name: str) -> str:
    """An attribute's text; empty if there is none."""
    return str(item.get(name, {}).get("S", ""))


def user(item: Item, now: datetime) -> User:
    """The user, with the id, the name as it was typed, and the old hash."""
    user_id, username, password = (text(item, n) for n in ("user_id", "username", "password"))
    if not is_id(user_id) or user_id in _RESERVED:
        raise BadUserInput(f"user_id {user_id!r} cannot be an id")
    username_key(username)
    if not legacy_hashes.recognised(password):
        kind = password.partition("$")[0][:32]
        raise BadUserInput(f"a password hash of kind {kind!r} cannot be checked")
    return User(
        user_id=user_id,
        username=username.strip(),
        password=password,
        created_at=_instant(text(item, "created_at"), now),
    )


def task(item: Item, now: datetime) -> tuple[Task, str]:
    """The task under its old id, and what had to be changed in it, if anything."""
    title, description, long = _shortened(text(item, "title"), text(item, "description"))
    status, unknown = _status(text(item, "status"))
    if not is_id(text(item, "user_id")):
        raise BadUserInput(f"user_id {text(item, 'user_id')!r} cannot be an id")
    created = _instant(text(item, "created_at"), now)
    kept = Task.restored(
        text(item, "user_id"),
        {
            "task_id": text(item, "task_id"),
            "title": title,
            "description": description,
            "status": status,
            "priority": TaskPriority.MEDIUM,
            "due_at": None,
            "tags": (),
            "created_at": created,
            "updated_at": created,
            "completed_at": created if status is TaskStatus.COMPLETED else None,
            "version": 1,
        },
    )
    return kept, "; ".join(note for note in (long, unknown) if note)


def _shortened(title: str, description: str) -> tuple[str, str, str]:
    """A title that is too long ends in an ellipsis; all of it begins the description."""
    title = title.strip()
    if len(title) <= TITLE_LENGTH:
        return title, description, ""
    whole = f"{title}\n\n{description}" if description else title
    return f"{title[: TITLE_LENGTH - 1]}…", whole, "the whole title is in the description"


def _status(written: str) -> tuple[TaskStatus, str]:
    """The status, however it was written; one that is not known here is `pending`."""
    name = written.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return TaskStatus(name or "pending"), ""
    except ValueError:
        return TaskStatus.PENDING, f"the status {written!r} is now 'pending'"


def _instant(written: str, otherwise: datetime) -> datetime:
    """An RFC 3339 text, or one without an offset, which is UTC; else another instant."""
    for candidate in (written, f"{written}Z"):
        try:
            return clock.parse(candidate.replace(" ", "T"))
        except ValueError:
            continue
    return clock.milliseconds(otherwise)
