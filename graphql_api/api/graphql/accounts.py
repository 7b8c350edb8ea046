"""GraphQL types and mutations of accounts and sessions."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.api.graphql.access.scopes import ANY_TOKEN, ANYONE, SESSION, Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.settings import Settings
from graphql_api.api.graphql.tasks.listing import list_tasks
from graphql_api.api.graphql.tasks.types import TaskConnection
from graphql_api.domain.accounts import model, service
from graphql_api.domain.settings.model import Settings as UserSettings
from graphql_api.domain.tasks import list_reader
from graphql_api.domain.tasks.list_reader import MAX_TAG_COUNTS
from graphql_api.domain.tasks.model import MAX_TAG_LENGTH


@strawberry.type(description="A login on one device.")
class Session(Node):
    session_id: strawberry.ID = strawberry.field(name="id", description="The session's id.")
    device: str = strawberry.field(description="The `User-Agent` header of the login.")
    created_at: datetime = strawberry.field(description="When the user logged in.")
    last_used_at: datetime = strawberry.field(
        description="When the session's refresh token was last exchanged."
    )

    @strawberry.field(description="Whether this request belongs to this session.")
    def current(session: strawberry.Parent[model.Session], info: Info) -> bool:  # noqa: N805 - the parent is the model's session
        return session.session_id == info.context.identity.session_id


@strawberry.type(description="A tag, and how many tasks have it.")
class TagCount:
    name: str = strawberry.field(
        description="The tag.", metadata=field_cost(size=4 * MAX_TAG_LENGTH)
    )
    count: int = strawberry.field(description="The number of tasks, open or not.")


@strawberry.type(description="A person with an account.")
class User(Node):
    user_id: strawberry.ID = strawberry.field(name="id", description="The user's id.")
    username: str = strawberry.field(description="The username as it was typed at registration.")
    created_at: datetime = strawberry.field(description="When the user registered.")
    tasks = strawberry.field(
        list_tasks,
        graphql_type=TaskConnection,
        description="The user's tasks.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )

    @strawberry.field(
        description="The number of the user's open tasks.",
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def open_count(user: strawberry.Parent[model.User], info: Info) -> int:  # noqa: N805 - the parent is the model's user
        return info.context.open_tally(user.user_id).total

    @strawberry.field(
        description="The number of the user's open tasks past their due date.",
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def overdue_count(user: strawberry.Parent[model.User], info: Info) -> int:  # noqa: N805 - the parent is the model's user
        return info.context.open_tally(user.user_id).overdue

    @strawberry.field(
        graphql_type=list[TagCount],
        description=(
            f"The tags of the user's tasks, the most used first, at most {MAX_TAG_COUNTS:,}. A tag"
            " is one in whatever case, and shown as its oldest task has it."
        ),
        metadata=field_cost(LIST, items=MAX_TAG_COUNTS) | needs(Scope.TASKS_READ, confined=True),
    )
    def tags(user: strawberry.Parent[model.User], info: Info) -> list[list_reader.TagCount]:  # noqa: N805 - the parent is the model's user
        context = info.context
        return context.task_lists.tag_counts(user.user_id, context.count_budget)

    @strawberry.field(
        graphql_type=list[Session],
        description="The user's active sessions, newest first.",
        metadata=field_cost(LIST) | SESSION,
    )
    def sessions(user: strawberry.Parent[model.User], info: Info) -> list[model.Session]:  # noqa: N805 - the parent is the model's user
        return info.context.accounts.sessions(user, info.context.now)

    @strawberry.field(
        graphql_type=Settings,
        description="The user's time zone, working hours and urgency coefficients.",
        metadata=field_cost(LIST)
        | needs(
            Scope.PLAN_READ, confined=True
        ),  # of days off and working hours, too many to repeat in each row
    )
    def settings(user: strawberry.Parent[model.User], info: Info) -> UserSettings:  # noqa: N805 - the parent is the model's user
        return info.context.settings_of(user.user_id)


@strawberry.type(description="The tokens of a session, and its user.")
class AuthPayload:
    token: str = strawberry.field(
        description="The access token: send it as `Authorization: Bearer <token>`."
    )
    expires_at: datetime = strawberry.field(description="When the access token expires.")
    refresh_token: str = strawberry.field(
        description="Exchange it with `refreshToken`, once, when the access token expires."
    )
    user: User = strawberry.field(description="The user who has logged in.")


@strawberry.input(description="Username and password of a new account.")
class RegisterInput:
    username: str = strawberry.field(description="3 to 64 characters; unique, ignoring case.")
    password: str = strawberry.field(
        description="8 to 1,024 bytes of UTF-8; not the username, not a common password."
    )


@strawberry.input(description="The credentials of a login.")
class LoginInput:
    username: str = strawberry.field(description="The username, in any case.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.input(description="The refresh token to exchange.")
class RefreshTokenInput:
    refresh_token: str = strawberry.field(description="The latest refresh token of the session.")


@strawberry.input(description="A change of the password.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The current password.")
    new_password: str = strawberry.field(
        description="8 to 1,024 bytes of UTF-8; not the username, not a common password."
    )


@strawberry.input(description="Confirms the deletion of the account.")
class DeleteAccountInput:
    password: str = strawberry.field(description="The user's password.")


@strawberry.input(description="The session to end.")
class RevokeSessionInput:
    id: strawberry.ID = strawberry.field(description="The session's id.")


@strawberry.type(description="The result of logging out.")
class LogoutPayload:
    ended_sessions: int = strawberry.field(description="The number of sessions that were ended.")


@strawberry.type(description="The result of ending a session.")
class RevokeSessionPayload:
    revoked_session_id: strawberry.ID = strawberry.field(
        description="The id of the session that was ended."
    )


@strawberry.type(description="The result of deleting an account.")
class DeleteAccountPayload:
    deleted_user_id: strawberry.ID = strawberry.field(description="The id of the deleted user.")


@strawberry.type
class AccountQuery:
    @strawberry.field(graphql_type=User, description="The authenticated user.", metadata=ANY_TOKEN)
    def viewer(self, info: Info) -> model.User:
        return info.context.user(info.context.viewer_id)


@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Create an account and log in.",
        metadata=field_cost(expensive=True) | ANYONE,
    )
    def register(
        self,
        info: Info,
        input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    ) -> service.Login:
        context = info.context
        return context.accounts.register(**vars(input), client=context.client, now=context.now)

    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Log in: open a session.",
        metadata=field_cost(expensive=True) | ANYONE,
    )
    def login(
        self,
        info: Info,
        input: Annotated[LoginInput, strawberry.argument(description="Username and password.")],
    ) -> service.Login:
        context = info.context
        return context.accounts.login(**vars(input), client=context.client, now=context.now)

    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Exchange a refresh token for new tokens; reusing it later ends the session.",
        metadata=ANYONE,
    )
    def refresh_token(
        self,
        info: Info,
        input: Annotated[RefreshTokenInput, strawberry.argument(description="The refresh token.")],
    ) -> service.Login:
        return info.context.accounts.refresh(input.refresh_token, info.context.now)

    @strawberry.mutation(
        description="End this session.", metadata=field_cost(exclusive=True) | SESSION
    )
    def logout(self, info: Info) -> LogoutPayload:
        return LogoutPayload(ended_sessions=info.context.accounts.logout(info.context.identity))

    @strawberry.mutation(
        description="End all of the viewer's sessions.",
        metadata=field_cost(exclusive=True) | SESSION,
    )
    def logout_everywhere(self, info: Info) -> LogoutPayload:
        context = info.context
        ended = context.accounts.logout_everywhere(context.identity, context.now)
        return LogoutPayload(ended_sessions=ended)

    @strawberry.mutation(description="End one of the viewer's sessions.", metadata=SESSION)
    def revoke_session(
        self,
        info: Info,
        input: Annotated[RevokeSessionInput, strawberry.argument(description="The session.")],
    ) -> RevokeSessionPayload:
        revoked = info.context.accounts.revoke(info.context.identity, input.id)
        return RevokeSessionPayload(revoked_session_id=strawberry.ID(revoked))

    @strawberry.mutation(
        graphql_type=AuthPayload,
        description="Change the password, end all sessions and open a new one.",
        metadata=field_cost(expensive=True, exclusive=True) | SESSION,
    )
    def change_password(
        self,
        info: Info,
        input: Annotated[
            ChangePasswordInput,
            strawberry.argument(description="The current and the new password."),
        ],
    ) -> service.Login:
        context = info.context
        return context.accounts.change_password(
            context.identity, **vars(input), client=context.client, now=context.now
        )

    @strawberry.mutation(
        description="Delete the account and all its data permanently.",
        metadata=field_cost(expensive=True, exclusive=True) | SESSION,
    )
    def delete_account(
        self,
        info: Info,
        input: Annotated[DeleteAccountInput, strawberry.argument(description="The password.")],
    ) -> DeleteAccountPayload:
        context = info.context
        deleted = context.accounts.delete(context.identity, input.password, context.now)
        return DeleteAccountPayload(deleted_user_id=strawberry.ID(deleted))
