"""GraphQL types, query and mutations of access tokens."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import SESSION
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.strawberry_extras import describe_enum, provided
from graphql_api.domain.access import model, service
from graphql_api.domain.access.model import (
    DEFAULT_LIFETIME,
    LONGEST_LIFETIME,
    MAX_CONFINING,
    MAX_NAME_LENGTH,
    MAX_TOKENS,
    Scope,
)
from graphql_api.domain.tasks.model import MAX_TAG_LENGTH
from graphql_api.domain.tasks.store import MAX_ID_LENGTH

describe_enum(
    Scope,
    "A kind of requests that an access token may make.",
    TASKS_READ="Read tasks, projects, views, series and changes; previews of rules and quick add.",
    TASKS_WRITE="Create, change and delete tasks, projects, views and series, and log work.",
    PLAN_READ="Preview plans, and read what is planned, what to do now, and the settings.",
    PLAN_WRITE="Apply and undo plans, and change planned blocks, settings and busy calendars.",
    CALENDAR_READ="Read calendars.",
    WEBHOOKS="Manage webhooks, which get the changes of all tasks.",
)


@strawberry.type(description="A key for programs to a part of what its user may do.")
class AccessToken(Node):
    token_id: strawberry.ID = strawberry.field(name="id", description="The token's id.")
    name: str = strawberry.field(
        description="Its name, which changes that it makes have as their actor's.",
        metadata=field_cost(size=4 * MAX_NAME_LENGTH),
    )
    scopes: list[Scope] = strawberry.field(description="What it may do.")
    tags: list[str] = strawberry.field(
        description="It sees only tasks with one of these tags; of none, any.",
        metadata=field_cost(size=4 * MAX_CONFINING * MAX_TAG_LENGTH),
    )
    project_ids: list[strawberry.ID] = strawberry.field(
        description="It sees only tasks in one of these projects; of none, any.",
        metadata=field_cost(size=MAX_CONFINING * MAX_ID_LENGTH),
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime = strawberry.field(
        description="When it ends. It is listed until it is revoked."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to some minutes; null if it never was."
    )


@strawberry.input(description=f"A new access token, of which a user may have {MAX_TOKENS}.")
class CreateAccessTokenInput:
    name: str = strawberry.field(description=f"1 to {MAX_NAME_LENGTH} characters.")
    scopes: list[Scope] = strawberry.field(description="What it may do: at least one.")
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            f"Confine it to tasks with one of these tags, at most {MAX_CONFINING}. It can neither"
            " see nor make any others."
        ),
    )
    project_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=f"Confine it to tasks in one of these projects, at most {MAX_CONFINING}.",
    )
    expires_at: datetime | None = strawberry.field(
        default=UNSET,
        description=(
            f"When it ends, at most {LONGEST_LIFETIME.days} days ahead; default: in"
            f" {DEFAULT_LIFETIME.days} days."
        ),
    )


@strawberry.input(description="The access token to revoke.")
class RevokeAccessTokenInput:
    id: strawberry.ID = strawberry.field(description="The token's id.")


@strawberry.type(description="A new access token.")
class AccessTokenPayload:
    created: strawberry.Private[service.NewToken]

    @strawberry.field(graphql_type=AccessToken, description="The token, without its text.")
    def access_token(self) -> model.AccessToken:
        return self.created.token

    @strawberry.field(
        description="Its text, shown this once: send it as `Authorization: Bearer <token>`."
    )
    def token(self) -> str:
        return self.created.text


@strawberry.type(description="The result of revoking an access token.")
class RevokeAccessTokenPayload:
    revoked_access_token_id: strawberry.ID = strawberry.field(
        description="The id of the token that was revoked."
    )


@strawberry.type
class AccessTokenQuery:
    @strawberry.field(
        graphql_type=list[AccessToken],
        description="The viewer's access tokens, the newest first, expired ones included.",
        metadata=field_cost(LIST, items=MAX_TOKENS) | SESSION,
    )
    def access_tokens(self, info: Info) -> list[model.AccessToken]:
        return info.context.accounts.access_tokens.all(info.context.viewer_id)


@strawberry.type
class AccessTokenMutation:
    @strawberry.mutation(
        description="Create an access token. The answer has its text, once.", metadata=SESSION
    )
    def create_access_token(
        self,
        info: Info,
        input: Annotated[CreateAccessTokenInput, strawberry.argument(description="The token.")],
    ) -> AccessTokenPayload:
        context, tokens = info.context, info.context.accounts.access_tokens
        values = {name: value for name, value in provided(vars(input)).items() if value is not None}
        return AccessTokenPayload(created=tokens.create(context.viewer_id, values, context.now))

    @strawberry.mutation(
        description="Revoke an access token: it is refused within 5 seconds everywhere.",
        metadata=SESSION,
    )
    def revoke_access_token(
        self,
        info: Info,
        input: Annotated[RevokeAccessTokenInput, strawberry.argument(description="The token.")],
    ) -> RevokeAccessTokenPayload:
        tokens = info.context.accounts.access_tokens
        revoked = tokens.revoke(info.context.viewer_id, input.id)
        return RevokeAccessTokenPayload(revoked_access_token_id=strawberry.ID(revoked))
