"""Scopes of fields, declared where a field is: `metadata=needs(Scope.TASKS_READ)`.

Each root field declares who may have it, and so does a field through which more could be reached
than its root field is for. A session has all scopes; an access token has those that it was given.
What a token may not have, it is refused before anything is executed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType

from graphql_api.api.graphql.context import Context
from graphql_api.domain.access.model import AccessToken, Scope
from graphql_api.errors import EnumName, Forbidden, StartError
from graphql_api.infra.executor.coercion import DEFINITION
from graphql_api.infra.executor.executor import core_schema
from graphql_api.infra.executor.permissions import Needed, Permissions

__all__ = [
    "ANYONE",
    "ANY_TOKEN",
    "SESSION",
    "Permission",
    "Scope",
    "needs",
    "permission_of",
    "permissions",
]

_KEY = "permission"


@dataclass(frozen=True, slots=True)
class Permission:
    """The tokens that may have a field: those with its scope; without one, all or none of them.

    A token that is confined to some tasks may have it only where the field is declared to keep
    within them.
    """

    scope: Scope | None
    tokens: bool = True
    confined: bool = False

    def check(self, token: AccessToken) -> None:
        """Raise Forbidden, with the scope that is missing, if the token may not have the field.

        One that is confined may lack nothing but freedom: the error says so in place of a scope.
        """
        if not self.tokens:
            raise Forbidden("This takes a session: no access token may do it.", required_scope=None)
        if self.scope is not None and self.scope not in token.scopes:
            raise Forbidden(
                f"This access token lacks the scope {self.scope.name}.",
                required_scope=EnumName(self.scope.name),
            )
        if token.confinement and not self.confined:
            raise Forbidden(
                "This access token is confined to some tasks, and this could tell of others, or"
                " change them: use a token without tags and projects, or a session.",
                confined=True,
            )

    def allows(self, token: AccessToken | None) -> bool:
        """Return whether a session, or this token, may have the field."""
        try:
            if token is not None:
                self.check(token)
        except Forbidden:
            return False
        return True


def needs(scope: Scope, *, confined: bool = False) -> dict[str, Permission | None]:
    """Metadata of a field for tokens with a scope; `confined` ones, too, if it hides the rest."""
    return {_KEY: Permission(scope, confined=confined)}


ANYONE: dict[str, Permission | None] = {_KEY: None}
"""Metadata of a field for everybody, logged in or not."""

ANY_TOKEN: dict[str, Permission | None] = {_KEY: Permission(None, confined=True)}
"""Metadata of a field for every token; what is below it declares more."""

SESSION: dict[str, Permission | None] = {_KEY: Permission(None, tokens=False)}
"""Metadata of a field that no token may have."""


def permissions(schema: strawberry.Schema) -> Permissions:
    """Collect what fields declare. Raises StartError with the root fields that have not."""
    declared, missing = {}, []
    for type_name, name, metadata in _fields(schema):
        if permission := metadata.get(_KEY):
            declared[type_name, name] = permission
        elif type_name in _ROOTS and _KEY not in metadata:
            missing.append(f"{type_name}.{name}")
    if missing:
        raise StartError(
            f"{', '.join(missing)}: a root field declares who may have it,"
            " metadata=needs(Scope.TASKS_READ), ANY_TOKEN, SESSION or ANYONE"
            " (graphql_api/api/graphql/access/scopes.py)"
        )
    return Permissions(declared, _check)


_ROOTS = ("Query", "Mutation", "Subscription")


def _fields(schema: strawberry.Schema) -> Iterator[tuple[str, str, Mapping[str, Permission]]]:
    for name, type_ in core_schema(schema).type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and name[:2] != "__":
            for field_name, field in type_.fields.items():
                yield name, field_name, field.extensions[DEFINITION].metadata


def permission_of(field: GraphQLField) -> Permission | None:
    """The permission that a root field declares; None if it is for everybody.

    One that declares nothing takes a session.
    """
    declared: Permission | None = field.extensions[DEFINITION].metadata.get(_KEY, SESSION[_KEY])
    return declared


def _check(context: Context, needed: Needed) -> None:
    """Raise Forbidden, or Unauthenticated, for what the request's access token may not have."""
    if needed and (token := context.access_token):
        for permission in needed:
            permission.check(token)
