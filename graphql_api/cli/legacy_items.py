"""Convert items of the legacy service to users and tasks. Pure.

    Users   key username   user_id, password (a werkzeug hash)
    Tasks   key task_id    user_id, title, description, status

An item that cannot be converted raises BadUserInput.
"""

from datetime import datetime

from graphql_api import clock
from graphql_api.domain.accounts import legacy_hashes
from graphql_api.domain.accounts.model import User, username_key
from graphql_api.domain.accounts.store import NOBODY
from graphql_api.domain.tasks.model import MAX_TITLE_LENGTH, Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput
from graphql_api.ids import is_id
from graphql_api.infra.dynamodb import Item

_RESERVED = {NOBODY}


def text(item: Item, name: str) -> str:
    """Return an attribute's text, or an empty one."""
    return str(item.get(name, {}).get("S", ""))


def user(item: Item, now: datetime) -> User:
    """Convert a user; id, name and password hash stay the same."""
    user_id, username, password = (text(item, n) for n in ("user_id", "username", "password"))
    if not is_id(user_id) or user_id in _RESERVED:
        raise BadUserInput(f"user_id {user_id!r} cannot be an id")
    username_key(username)
    if not legacy_hashes.is_supported(password):
        method = password.partition("$")[0][:32]
        raise BadUserInput(f"a password hash by {method!r} cannot be verified")
    return User(
        user_id=user_id,
        username=username.strip(),
        password=password,
        created_at=_instant(text(item, "created_at"), now),
    )


def task(item: Item, now: datetime) -> tuple[Task, str]:
    """Convert a task under its old id; the text says what had to be changed, if anything."""
    title, description, shortened = _shorten(text(item, "title"), text(item, "description"))
    status, replaced = _status(text(item, "status"))
    if not is_id(text(item, "user_id")):
        raise BadUserInput(f"user_id {text(item, 'user_id')!r} cannot be an id")
    created = _instant(text(item, "created_at"), now)
    converted = Task.from_import(
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
    return converted, "; ".join(note for note in (shortened, replaced) if note)


def _shorten(title: str, description: str) -> tuple[str, str, str]:
    """Cut a long title with an ellipsis, and put the whole title before the description."""
    title = title.strip()
    if len(title) <= MAX_TITLE_LENGTH:
        return title, description, ""
    full = f"{title}\n\n{description}" if description else title
    return f"{title[: MAX_TITLE_LENGTH - 1]}…", full, "the whole title is in the description"


def _status(text: str) -> tuple[TaskStatus, str]:
    """Convert a status in any spelling; an unknown one becomes `pending`."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return TaskStatus(name or "pending"), ""
    except ValueError:
        return TaskStatus.PENDING, f"the status {text!r} is now 'pending'"


def _instant(text: str, default: datetime) -> datetime:
    """Parse RFC 3339, without an offset as UTC; return `default` for any other text."""
    for candidate in (text, f"{text}Z"):
        try:
            return clock.parse(candidate.replace(" ", "T"))
        except ValueError:
            continue
    return clock.milliseconds(default)
