"""The kinds of objects that have an id: who may have them, and how they are found by it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

from graphql_api.api.graphql.access.scopes import Permission, Scope
from graphql_api.api.graphql.context import Context
from graphql_api.domain.access.model import AccessToken
from graphql_api.domain.accounts.model import Session
from graphql_api.domain.blocks.model import parse_id
from graphql_api.domain.blocks.service import blocks_of
from graphql_api.domain.busy_calendars.model import BusyCalendar
from graphql_api.domain.calendars.model import CalendarFeed
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.webhooks.model import Webhook
from graphql_api.infra.dataloader import Loader

Find: TypeAlias = Callable[[Context, Sequence[str]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects: the tokens that may have them, and what finds the viewer's by their ids.

    That takes one or two reads, however many ids there are.
    """

    permission: Permission
    find: Find


def found(context: Context, ids: Iterable[str]) -> dict[str, object]:
    """The viewer's objects of these ids, as far as there are any that the request may have."""
    missing, known = list(dict.fromkeys(ids)), dict[str, object]()
    for kind in KINDS:
        if missing and kind.permission.allows(context.identity.token):
            known = {**kind.find(context, missing), **known}
            missing = [each for each in missing if each not in known]
    return known


def _user(context: Context, ids: Sequence[str]) -> dict[str, object]:
    viewer_id = context.viewer_id
    return {viewer_id: context.user(viewer_id)} if viewer_id in ids else {}


def _loaded(loader_of: Callable[[Context], Loader[tuple[str, str], Any]]) -> Find:
    """Find by a loader, whose keys are the viewer's id and the object's."""

    def find(context: Context, ids: Sequence[str]) -> dict[str, object]:
        viewer_id, loader = context.viewer_id, loader_of(context)
        loader.prefetch((viewer_id, each) for each in ids)
        return {each: value for each in ids if (value := loader.get((viewer_id, each)))}

    return find


def _listed(id_of: str, all_of: Callable[[Context], Iterable[object]]) -> Find:
    """Find among all that there are, of a kind of which a user has a few."""
    get_id = attrgetter(id_of)

    def find(context: Context, _: Sequence[str]) -> dict[str, object]:
        return {get_id(each): each for each in all_of(context)}

    return find


def _tasks(context: Context, ids: Sequence[str]) -> dict[str, object]:
    found = _TASKS(context, ids)
    context.track([each for each in found.values() if isinstance(each, Task)])
    return dict(found)


def _views(context: Context, ids: Sequence[str]) -> dict[str, object]:
    found = context.views.named(context.viewer_id, ids)
    context.track_views(list(found.values()))
    return dict(found)


def _blocks(context: Context, ids: Sequence[str]) -> dict[str, object]:
    named = [place[0] for each in ids if (place := parse_id(each))]
    tasks = [each for each in _tasks(context, named).values() if isinstance(each, Task)]
    blocks = [block for task in tasks for block in blocks_of(task, context.now)]
    return {block.block_id: block for block in blocks}


def _changes(context: Context, ids: Sequence[str]) -> dict[str, object]:
    changes = context.feed.find_many(context.viewer_id, ids)
    context.tasks_by_key.prefetch((each.user_id, each.task_id) for each in changes.values())
    return dict(changes)


def _deliveries(context: Context, ids: Sequence[str]) -> dict[str, object]:
    return dict(context.webhooks.deliveries_named(context.viewer_id, ids))


def _webhooks(context: Context) -> Iterable[Webhook]:
    return context.webhooks.all(context.viewer_id)


def _feeds(context: Context) -> Iterable[CalendarFeed]:
    return context.calendar_feeds.all(context.viewer_id)


def _calendars(context: Context) -> Iterable[BusyCalendar]:
    return context.busy_calendars.all(context.viewer_id)


def _sessions(context: Context) -> Iterable[Session]:
    return context.accounts.sessions(context.user(context.viewer_id), context.now)


def _access_tokens(context: Context) -> Iterable[AccessToken]:
    return context.accounts.access_tokens.all(context.viewer_id)


_TASKS = _loaded(lambda context: context.tasks_by_key)
_ALL_TASKS = Permission(Scope.TASKS_READ)  # neither series nor views say whose tasks they tell of
_SOME_TASKS = Permission(Scope.TASKS_READ, confined=True)
_SESSION = Permission(None, tokens=False)

KINDS = (
    Kind(Permission(None, confined=True), _user),
    Kind(_SOME_TASKS, _tasks),
    Kind(_SOME_TASKS, _loaded(lambda context: context.projects_by_key)),
    Kind(_ALL_TASKS, _loaded(lambda context: context.series_by_key)),
    Kind(_ALL_TASKS, _views),
    Kind(Permission(Scope.PLAN_READ, confined=True), _blocks),
    Kind(_SOME_TASKS, _changes),
    Kind(Permission(Scope.WEBHOOKS), _listed("webhook_id", _webhooks)),
    Kind(Permission(Scope.WEBHOOKS), _deliveries),
    Kind(Permission(Scope.CALENDAR_READ), _listed("feed_id", _feeds)),
    Kind(Permission(Scope.CALENDAR_READ), _listed("calendar_id", _calendars)),
    Kind(_SESSION, _listed("session_id", _sessions)),
    Kind(_SESSION, _listed("token_id", _access_tokens)),
)
"""All of them, the ones first that are asked for most."""
