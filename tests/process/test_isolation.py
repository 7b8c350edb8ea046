"""Many people at once in one process, one thread of which serves all of them."""

import json
import random
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CREATE, TASK, TASKS, Api, Person, bearer
from test_process import APP, Program
from tokens import access_token

pytestmark = pytest.mark.whole

PEOPLE = 12
ROUNDS = 3

VIEWER = "{ viewer { id username tasks(first: 5) { nodes { id title owner { id username } } } } }"
BY_URGENCY = "{ tasks(first: 5, orderBy: {field: URGENCY, direction: DESC}) { nodes { title } } }"
FROM = "2030-01-07T08:00:00Z"
PLAN = (
    f'{{ planPreview(input: {{from: "{FROM}"}}) {{ unestimated {{ title }} blocks {{ title }} }} }}'
)


BUSY = "Others are planning, try again."  # answer to some of many who plan at once


def requests(person: "Somebody", task: dict, foreign: str) -> list[tuple[str, dict | None, str]]:
    """A path, a body, and what the answer has: all that is asked for, in every way."""

    def asked(query: str, **variables) -> dict:
        return {"query": query, "variables": variables}

    mine, title = task["id"], task["title"]
    return [
        ("/graphql", asked(VIEWER), person.username),
        ("/graphql", asked(TASK, id=mine), title),
        ("/graphql", asked(TASK, id=foreign), "NOT_FOUND"),
        ("/graphql", asked(TASKS, first=5), title),
        ("/graphql", asked(BY_URGENCY), title),  # read in a thread aside, as are …
        ("/graphql", asked(PLAN), title),  # … plans …
        ("/api/v1/tasks", None, title),  # … and whole lists, once they are long
        ("/graphql", asked(CREATE, input={**person.within, "title": title}), title),
        ("/graphql", asked("{ nope }"), "GRAPHQL_VALIDATION_FAILED"),
        ("/api/v1/tasks?limit=3", None, title),
        (f"/api/v1/tasks/{mine}", None, title),
        (f"/api/v1/tasks/{foreign}", None, "NOT_FOUND"),
        ("/api/v1/plan/preview", {"from": FROM}, title),
        ("/auth/verify", None, person.id),
    ]


class Somebody(Person):
    """A user, or a program of one user's whose token is confined to a tag of its own."""

    def __init__(self, person: Person, token: str, tag: str | None = None) -> None:
        super().__init__(person.api, person.username, person.id, token)
        self.within = {"durationMinutes": 30, **({"tags": [tag]} if tag else {})}
        self.title = f"Of {tag or self.username} alone"
        self.marks = [self.title] if tag else [self.id, f'"{self.username}"', self.title]
        """What no answer to anybody else may have in it."""


def users(api: Api) -> list[Somebody]:
    """Many users."""
    people = [api.register("somebody") for _ in range(PEOPLE)]
    return [Somebody(person, person.token) for person in people]


def programs(api: Api) -> list[Somebody]:
    """Many programs of one user's, each of which sees tasks of its own."""
    person = api.register("somebody")
    tags = [f"tag-{number}" for number in range(PEOPLE)]
    return [Somebody(person, access_token(person, tags=[tag]), tag) for tag in tags]


@pytest.mark.parametrize("everybody", [users, programs])
def test_everybody_gets_their_own_however_many_are_served_at_once(tmp_path, everybody):
    with Program(APP, tmp_path, DATA_DIR=tmp_path / "data", WORKERS=1) as service:
        service.ready()
        people = everybody(Api(service))
        tasks = [person.create(title=person.title, **person.within) for person in people]

        def use(number: int) -> dict[str, str]:
            """Whose every request was, by the ids that the service gave them."""
            person, foreign = people[number], tasks[number - 1]["id"]
            others = [mark for other in people if other is not person for mark in other.marks]
            steps = requests(person, tasks[number], foreign) * ROUNDS
            random.Random(number).shuffle(steps)
            served = {}
            for path, body, expected in steps:
                headers = bearer(person.token)
                answer = (
                    service.get(path, **headers)
                    if body is None
                    else service.post(path, body, headers)
                )
                text = answer.body.decode()
                assert expected in text or BUSY in text, (path, body, text)
                assert not [mark for mark in others if mark in text], (path, body, text)
                served[answer.headers["X-Request-Id"]] = person.id
            return served

        with ThreadPoolExecutor(PEOPLE) as clients:
            served = dict(ChainMap(*clients.map(use, range(PEOPLE))))
        service.end()
    lines = map(json.loads, service.errors.read_text().splitlines())
    noted = {line["request_id"]: line.get("user_id") for line in lines if "duration_ms" in line}
    assert len(served) == PEOPLE * ROUNDS * 14
    theirs = {request for request in served if noted[request] is not None}
    assert {request: noted[request] for request in theirs}.items() <= served.items()
    # What is not valid is refused before it is asked whose it is.
    assert len(theirs) == PEOPLE * ROUNDS * 13
