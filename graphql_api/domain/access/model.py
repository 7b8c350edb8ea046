"""Access tokens: what they may do, and to which tasks they are confined. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from graphql_api import clock, ids
from graphql_api.domain import criteria
from graphql_api.domain.criteria import Criterion, OneOf
from graphql_api.domain.records import checked_id, immutable
from graphql_api.domain.tasks.filters import HasTags
from graphql_api.domain.tasks.model import Task, tag
from graphql_api.domain.text import comparable, is_invisible
from graphql_api.errors import FIELD, BadUserInput, Forbidden

MAX_TOKENS = 50  # of a user
MAX_NAME_LENGTH = 100  # characters
MAX_CONFINING = 10  # tags, or projects, of a token
DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
USE_NOTED_EVERY = timedelta(minutes=5)


class Scope(Enum):
    """A kind of requests that an access token may make."""

    TASKS_READ = "tasks_read"
    TASKS_WRITE = "tasks_write"
    PLAN_READ = "plan_read"
    PLAN_WRITE = "plan_write"
    CALENDAR_READ = "calendar_read"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Confinement:
    """The tasks that a token sees: those with one of its tags, in one of its projects.

    Without tags, or projects, these are no matter. A token that is confined sees the projects that
    it names, and no others.
    """

    tags: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """False if nothing is hidden."""
        return bool(self.tags or self.project_ids)

    @property
    def criterion(self) -> Criterion:
        """The condition on tasks."""
        parts: list[Criterion] = []
        if self.tags:
            parts.append(HasTags.of(self.tags, wants_all=False))
        if self.project_ids:
            parts.append(OneOf("project_id", self.project_ids))
        return criteria.All(tuple(parts))

    def tags_among(self, tags: Iterable[str]) -> list[str]:
        """The tags among these that the token may be told of: its own, or all if it hides none."""
        own = set(map(comparable, self.tags))
        return [tag for tag in tags if not self or comparable(tag) in own]

    def projects_among(self, project_ids: Iterable[str]) -> list[str]:
        """The ids among these of projects that the token may be told of."""
        return [each for each in project_ids if not self or each in self.project_ids]

    def check(self, task: Task) -> None:
        """Raise Forbidden for the state of a task that the token would not see."""
        if self.tags and not HasTags.of(self.tags, wants_all=False).holds(task):
            raise Forbidden(
                "This access token is confined: a task must have one of its tags, which are"
                f" {', '.join(self.tags)}.",
                "tags",
            )
        if self.project_ids and task.project_id not in self.project_ids:
            raise Forbidden(
                f"This access token is confined: {FIELD} must be one of its projects, which are"
                f" {', '.join(self.project_ids)}.",
                "project_id",
            )


EVERYTHING = Confinement()
"""The confinement of sessions, and of tokens without one."""


@immutable
class AccessToken:
    """A key to a part of what a user may do, for programs. Its text is kept as a hash only."""

    user_id: str
    token_id: str
    hash: str
    name: str
    scopes: tuple[Scope, ...]
    tags: tuple[str, ...]
    project_ids: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    @classmethod
    def new(
        cls,
        user_id: str,
        now: datetime,
        *,
        hash: str,
        name: str,
        scopes: Iterable[Scope],
        tags: Iterable[str] | None = None,
        project_ids: Iterable[str] | None = None,
        expires_at: datetime | None = None,
    ) -> "AccessToken":
        """Make a token of these values. Raises BadUserInput."""
        at = clock.milliseconds(now)
        return cls(
            user_id=user_id,
            token_id=ids.new_id(now),
            hash=hash,
            name=_name(name),
            scopes=_scopes(tuple(dict.fromkeys(scopes))),
            tags=_few("tags", tags, tag),
            project_ids=_few("project_ids", project_ids, checked_id),
            created_at=at,
            expires_at=_expiry(expires_at, at),
        )

    @property
    def confinement(self) -> Confinement:
        """The tasks that it sees."""
        return Confinement(self.tags, self.project_ids)

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return now >= self.expires_at

    def is_use_noted(self, now: datetime) -> bool:
        """Return whether its last use was noted a short while ago."""
        return self.last_used_at is not None and now - self.last_used_at < USE_NOTED_EVERY


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or is_invisible(name):
        raise BadUserInput(
            f"A name must have 1 to {MAX_NAME_LENGTH} characters, one of them visible.", "name"
        )
    return name


def _scopes(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    if not scopes:
        raise BadUserInput(f"{FIELD} must have at least one item.", "scopes")
    return scopes


def _few(
    field: str, values: Iterable[str] | None, checked: Callable[[str, str], str]
) -> tuple[str, ...]:
    """Return what confines a token, each once; nothing for None. Raises BadUserInput."""
    if values is None:
        return ()
    few = dict.fromkeys(checked(field, each) for each in values)
    if not 1 <= len(few) <= MAX_CONFINING:  # an empty list might be meant to let it see nothing
        message = f"{FIELD} must have 1 to {MAX_CONFINING} items, or be left out."
        raise BadUserInput(message, field)
    return tuple(few)


def _expiry(wanted: datetime | None, now: datetime) -> datetime:
    """The end of a token's life. Raises BadUserInput unless it is ahead, and not too far."""
    if wanted is None:
        return now + DEFAULT_LIFETIME
    if not now < wanted <= now + LONGEST_LIFETIME:
        raise BadUserInput(
            f"{FIELD} must be in the future, at most {LONGEST_LIFETIME.days} days ahead.",
            "expires_at",
        )
    return clock.milliseconds(wanted)
