"""The queries for objects by their ids alone."""

from collections.abc import Iterable
from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import ANY_TOKEN
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.nodes import kinds
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.domain.paging import MAX_PAGE_SIZE
from graphql_api.errors import FIELD, BadUserInput, NotFound
from graphql_api.infra.executor import lookahead


@strawberry.type
class NodeQuery:
    @strawberry.field(
        graphql_type=Node | None,
        description=(
            "One of the viewer's objects, by its id. If there is none of this id: null, and"
            " NOT_FOUND."
        ),
        metadata=ANY_TOKEN,
    )
    def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")],
    ) -> object:
        siblings = lookahead.root_arguments(info._raw_info, "node", "id")  # noqa: SLF001 - as in `task`
        [found] = _found(info.context, [id], map(str, siblings))
        if found is None:
            raise NotFound("Not found or access denied", "id")
        return found

    @strawberry.field(
        graphql_type=list[Node | None],
        description="The viewer's objects of these ids, in their order; null where there is none.",
        metadata=field_cost(LIST) | ANY_TOKEN,
    )
    def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"At most {MAX_PAGE_SIZE} ids."),
        ],
    ) -> list[object]:
        viewer_id = info.context.viewer_id
        if len(ids) > MAX_PAGE_SIZE:
            raise BadUserInput(f"{FIELD} must have at most {MAX_PAGE_SIZE} items.", "ids")
        info.context.spend_rows(sum(each != viewer_id for each in ids))
        return _found(info.context, ids, ids)


def _found(context: Context, ids: list[strawberry.ID], batch: Iterable[str]) -> list[object]:
    """The viewer's objects of these ids; the tasks of the batch are read with theirs."""
    viewer_id = context.viewer_id
    context.tasks_by_key.prefetch((viewer_id, each) for each in batch if each != viewer_id)
    known = kinds.found(context, ids)
    return [known.get(each) for each in ids]
