"""Accounts as GraphQL shows them."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.accounts import model, service
from graphql_api.connection import Connection
from graphql_api.context import Info
from graphql_api.tasks.schema import Task, list_tasks


@strawberry.type(description="A person with an account.")
class User:
    user_id: strawberry.ID = strawberry.field(name="id", description="The user's id.")
    username: str = strawberry.field(description="The user's name, as it was typed.")
    created_at: datetime = strawberry.field(description="When the user registered.")
    tasks = strawberry.field(
        list_tasks, graphql_type=Connection[Task], description="The user's tasks."
    )


@strawberry.type(description="What a login gives.")
class AuthPayload:
    token: str = strawberry.field(
        description="The access token: send it as `Authorization: Bearer <token>`."
    )
    expires_at: datetime = strawberry.field(description="When the token ends.")
    user: User = strawberry.field(description="Who has logged in.")


@strawberry.input(description="Who wants to have an account.")
class RegisterInput:
    username: str = strawberry.field(
        description="3 to 64 characters; one name belongs to one user, in whatever case."
    )
    password: str = strawberry.field(description="8 to 1,024 bytes of UTF-8.")


@strawberry.input(description="Who wants to log in.")
class LoginInput:
    username: str = strawberry.field(description="The user's name, in any case.")
    password: str = strawberry.field(description="The user's password.")


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
        return info.context.accounts.register(input.username, input.password, info.context.now)

    @strawberry.mutation(graphql_type=AuthPayload, description="Log in.")
    def login(
        self,
        info: Info,
        input: Annotated[LoginInput, strawberry.argument(description="Name and password.")],
    ) -> service.Login:
        return info.context.accounts.login(input.username, input.password, info.context.now)
