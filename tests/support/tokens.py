"""Access tokens for tests."""

from conftest import Person

CREATE_TOKEN = """mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  token
  accessToken { id name scopes tags projectIds createdAt expiresAt lastUsedAt }
} }"""
ALL_SCOPES = [
    *("TASKS_READ", "TASKS_WRITE", "PLAN_READ", "PLAN_WRITE"),
    *("CALENDAR_READ", "WEBHOOKS"),
]


def access_token(person: Person, scopes: list[str] = ALL_SCOPES, **more) -> str:
    """The text of a new access token of somebody's."""
    given = {"name": "a script", "scopes": scopes, **more}
    answer = person.graphql(CREATE_TOKEN, input=given)
    return answer["data"]["createAccessToken"]["token"]


def by_token(person: Person, scopes: list[str] = ALL_SCOPES, **more) -> Person:
    """The same person, through a program with a new access token."""
    return Person(person.api, person.username, person.id, access_token(person, scopes, **more))
