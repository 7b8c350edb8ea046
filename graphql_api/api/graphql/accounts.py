"""Accounts as GraphQL shows them."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.settings import Settings
from graphql_api.api.graphql.tasks.listing import list_tasks
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.accounts import model, service
from graphql_api.domain.settings.model import Settings as UserSettings


@strawberry.type(description="A login on one device.")
class Session:
    session_id: strawberry.ID = strawberry.field(name="id", description="The session's id.")
    device: str = strawberry.field(description="What the device said of itself.")
    created_at: datetime = strawberry.field(description="When the user logged in.")
    last_used_at: datetime = strawberry.field(
        description="When the session's refresh token was last exchanged."
    )

    @strawberry.field(description="Whether this is the session that is asking.")
    def current(session: strawberry.Parent[model.Session], info: Info) -> bool:  # noqa: N805 - the parent is the model's session
        return session.session_id == info.context.session.session_id


@strawberry.type(description="A person with an account.")
class User:
    user_id: strawberry.ID = strawberry.field(name="id", description="The user's id.")
    username: str = strawberry.field(description="The user's name, as it was typed.")
    created_at: datetime = strawberry.field(description="When the user registered.")
    tasks = strawberry.field(
        list_tasks, graphql_type=Connection[Task], description="The user's tasks."
    )

    @strawberry.field(
        graphql_type=list[Session], description="The user's sessions, the newest first."
    )
    def sessions(user: strawberry.Parent[model.User], info: Info) -> list[model.Session]:  # noqa: N805 - the parent is the model's user
        return info.context.accounts.sessions(user, info.context.now)

    @strawberry.field(graphql_type=Settings, description="When the user works, by which clock.")
    def settings(user: strawberry.Parent[model.User], info: Info) -> UserSettings:  # noqa: N805 - the parent is the model's user
        return info.context.settings_of(user.user_id)


@strawberry.type(description="What a login gives.")
class AuthPayload:
    token: str = strawberry.field(
        description="The access token: send it as `Authorization: Bearer <token>`."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    refresh_token: str = strawberry.field(
        description="For `refreshToken`, once: it gives other tokens without the password."
    )
    user: User = strawberry.field(description="Who has logged in.")


@strawberry.input(description="Who wants to have an account.")
class RegisterInput:
    username: str = strawberry.field(
        description="3 to 64 characters; one name belongs to one user, in whatever case."
    )
    password: str = strawberry.field(
        description="8 to 1,024 bytes of UTF-8; neither the username nor a common one."
    )


@strawberry.input(description="Who wants to log in.")
class LoginInput:
    username: str = strawberry.field(description="The user's name, in any case.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.input(description="What to get other tokens for.")
class RefreshTokenInput:
    refresh_token: str = strawberry.field(description="The refresh token that came last.")


@strawberry.input(description="Another password.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The password until now.")
    new_password: str = strawberry.field(
        description="8 to 1,024 bytes of UTF-8; neither the username nor a common one."
    )


@strawberry.input(description="That the account is really meant to go.")
class DeleteAccountInput:
    password: str = strawberry.field(description="The user's password.")


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    id: strawberry.ID = strawberry.field(description="The session's id.")


@strawberry.type(description="What logging out has done.")
class LogoutPayload:
    ended_sessions: int = strawberry.field(description="How many sessions have ended.")


@strawberry.type(description="A session that is no more.")
class RevokeSessionPayload:
    revoked_session_id: strawberry.ID = strawberry.field(description="The id that it had.")


@strawberry.type(description="An account that is no more.")
class DeleteAccountPayload:
    deleted_user_id: strawberry.ID = strawberry.field(description="The id that the user had.")


@strawberry.type
class AccountQuery:
    @strawberry.field(graphql_type=User, description="The user who is asking.")
    def viewer(self, info: Info) -> model.User:
        return info.context.user(info.context.viewer)


@strawberry.type
class AccountMutation:
    @strawberry.mutation(graphql_type=AuthPayload, description="Open an account and log in.")
    def register(
        self,
        info: Info,
        input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    ) -> service.Login:
        context = info.context
        return context.accounts.register(**vars(input), client=context.client, now=context.now)

    @strawberry.mutation(graphql_type=AuthPayload, description="Log in: opens a session.")
    def login(
        self,
        info: Info,
        input: Annotated[LoginInput, strawberry.argument(description="Name and password.")],
    ) -> service.Login:
        context = info.context
        return context.accounts.login(**vars(input), client=context.client, now=context.now)

    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Exchange a refresh token; one that was exchanged before ends the session.",
    )
    def refresh_token(
        self,
        info: Info,
        input: Annotated[RefreshTokenInput, strawberry.argument(description="The token.")],
    ) -> service.Login:
        return info.context.accounts.refresh(input.refresh_token, info.context.now)

    @strawberry.mutation(description="End this session.")
    def logout(self, info: Info) -> LogoutPayload:
        return LogoutPayload(ended_sessions=info.context.accounts.logout(info.context.session))

    @strawberry.mutation(description="End all of the viewer's sessions.")
    def logout_everywhere(self, info: Info) -> LogoutPayload:
        context = info.context
        ended = context.accounts.logout_everywhere(context.session, context.now)
        return LogoutPayload(ended_sessions=ended)

    @strawberry.mutation(description="End one of the viewer's sessions.")
    def revoke_session(
        self,
        info: Info,
        input: Annotated[RevokeSessionInput, strawberry.argument(description="Which one.")],
    ) -> RevokeSessionPayload:
        revoked = info.context.accounts.revoke(info.context.session, input.id)
        return RevokeSessionPayload(revoked_session_id=strawberry.ID(revoked))

    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Change the password: ends all sessions and opens one.",
    )
    def change_password(
        self,
        info: Info,
        input: Annotated[ChangePasswordInput, strawberry.argument(description="Both passwords.")],
    ) -> service.Login:
        context = info.context
        return context.accounts.change_password(
            context.session, **vars(input), client=context.client, now=context.now
        )

    @strawberry.mutation(description="Delete the account and all that is the user's, for good.")
    def delete_account(
        self,
        info: Info,
        input: Annotated[DeleteAccountInput, strawberry.argument(description="The password.")],
    ) -> DeleteAccountPayload:
        context = info.context
        deleted = context.accounts.delete(context.session, input.password, context.now)
        return DeleteAccountPayload(deleted_user_id=strawberry.ID(deleted))
