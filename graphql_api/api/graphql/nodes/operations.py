"""The queries for objects by their ids alone."""

from collections.abc import Iterable
from typing import Annotated, TypeAlias

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.domain.accounts.model import User
from graphql_api.domain.paging import MAX_PAGE_SIZE
from graphql_api.domain.projects.model import Project
from graphql_api.domain.series.model import Series
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.views.model import SavedView
from graphql_api.domain.webhooks.model import Webhook
from graphql_api.errors import FIELD, BadUserInput, NotFound
from graphql_api.infra.executor import lookahead

Found: TypeAlias = Project | SavedView | Series | Task | User | Webhook


@strawberry.type
class NodeQuery:
    @strawberry.field(
        graphql_type=Node | None,
        description=(
            "One of the viewer's objects, by its id. If there is none of this id: null, and"
            " NOT_FOUND."
        ),
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")],
    ) -> Found:
        siblings = lookahead.root_arguments(info._raw_info, "node", "id")  # noqa: SLF001 - as in `task`
        [found] = _found(info.context, [id], map(str, siblings))
        if found is None:
            raise NotFound("Not found or access denied")
        return found

    @strawberry.field(
        graphql_type=list[Node | None],
        description="The viewer's objects of these ids, in their order; null where there is none.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )
    def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"At most {MAX_PAGE_SIZE} ids."),
        ],
    ) -> list[Found | None]:
        viewer_id = info.context.viewer_id
        if len(ids) > MAX_PAGE_SIZE:
            raise BadUserInput(f"{FIELD} must have at most {MAX_PAGE_SIZE} items.", "ids")
        info.context.spend_rows(sum(each != viewer_id for each in ids))
        return _found(info.context, ids, ids)


def _found(context: Context, ids: list[strawberry.ID], batch: Iterable[str]) -> list[Found | None]:
    """The viewer's objects of these ids; the tasks of the batch are read with theirs."""
    viewer_id, tasks = context.viewer_id, context.tasks_by_key
    tasks.prefetch((viewer_id, each) for each in batch if each != viewer_id)
    found: dict[str, Found | None] = {
        each: context.user(viewer_id) if each == viewer_id else tasks.get((viewer_id, each))
        for each in ids
    }
    context.track([each for each in found.values() if isinstance(each, Task)])
    missing = [each for each, known in found.items() if known is None]
    context.projects_by_key.prefetch((viewer_id, each) for each in missing)
    found |= {each: context.projects_by_key.get((viewer_id, each)) for each in missing}
    if context.is_confined:  # neither series nor webhooks say whose tasks they tell of
        return [found[each] for each in ids]
    missing = [each for each in missing if found[each] is None]
    context.series_by_key.prefetch((viewer_id, each) for each in missing)
    found |= {each: context.series_by_key.get((viewer_id, each)) for each in missing}
    missing = [each for each in missing if found[each] is None]
    found |= context.views.named(viewer_id, missing) if missing else {}
    if None in found.values() and context.has_scope(Scope.WEBHOOKS):
        webhooks = {each.webhook_id: each for each in context.webhooks.all(viewer_id)}
        found |= {each: found[each] or webhooks.get(each) for each in missing}
    return [found[each] for each in ids]
