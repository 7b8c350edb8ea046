"""A month of somebody's life, in fewer than twenty requests: all lists are as expected."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Person

from graphql_api import clock
from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.domain.tasks.store import _item

pytestmark = [pytest.mark.engine_is_no_matter, pytest.mark.whole]

PROJECTS, OPEN, DONE = 30, 400, 8_000
AT_ONCE = 25  # what BatchWriteItem takes
TAGS = ([], ["home"], ["errands"], ["home", "waiting"], ["work"])
NODES = "nodes { title } totalCount isComplete"

CREATE_TASKS = """mutation ($input: CreateTasksInput!) {
  createTasks(input: $input) { results { task { id } error { code } } } }"""
MORNING = f"""query ($planned: DateTime!) {{
  viewer {{ openCount overdueCount tags {{ name count }} }}
  overdue: tasks(first: 100, filter: {{overdue: true}}) {{ {NODES} }}
  today: tasks(first: 100, filter: {{status: [PENDING], dueWithinDays: 0}}) {{ {NODES} }}
  planned: tasks(
    first: 100, filter: {{status: [PENDING], plannedBefore: $planned}}
  ) {{ {NODES} }}
}}"""
PROJECT_COUNTS = "{ projects(first: 30) { nodes { id name openCount } } }"
DESK = f"""query ($move: [ID!]!) {{
  untagged: tasks(first: 100, filter: {{status: [PENDING], noTags: true}}) {{ {NODES} }}
  errands: tasks(first: 100, filter: {{
    status: [PENDING], noProject: true, tags: ["home", "errands"], not: {{tags: ["waiting"]}}
  }}) {{ {NODES} }}
  move: tasks(first: 100, filter: {{projectIds: $move}}) {{ {NODES} }}
}}"""
FINISHED = f"""query ($from: DateTime!, $to: DateTime!) {{
  tasks(first: 100, filter: {{completedAfter: $from, completedBefore: $to}}) {{ {NODES} }} }}"""
SEARCH = f'{{ tasks(first: 100, filter: {{search: "cafe number"}}) {{ {NODES} }} }}'
CREATE_VIEW = """mutation ($input: CreateViewInput!) {
  createView(input: $input) { view { id } } }"""
BY_VIEW = f"""query ($id: ID!) {{
  viewer {{ openCount }} tasks(first: 100, viewId: $id) {{ {NODES} }} }}"""
PREVIEW = "query ($input: PlanInput!) { planPreview(input: $input) { inputHash } }"
APPLY = "mutation ($input: PlanApplyInput!) { planApply(input: $input) { applied } }"
WEEK = f"""query ($from: DateTime!, $to: DateTime!) {{
  plannedBlocks(from: $from, to: $to) {{ task {{ id }} }} whatNow(minutes: 60) {{ task {{ id }} }}
  tasks(first: 100, filter: {{status: [PENDING], plannedBefore: $to}}) {{ {NODES} }} }}"""
COMPLETE = """mutation ($input: UpdateTasksInput!) {
  updateTasks(input: $input) { results { task { status } error { code } } } }"""


class Life:
    """Somebody with projects, open tasks and finished ones; their requests are counted."""

    def __init__(self, person: Person, done: list[Task], now: datetime) -> None:
        self.requests, self.done, self.now, self._person = 0, done, now, person
        self.projects = self._create_projects()
        self.tasks = [new_task(number, self.projects, now) for number in range(OPEN)]
        self.ids = self._create_tasks()

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """What a request is answered, that does not fail."""
        self.requests += 1
        answer = self._person.graphql(document, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def chosen(self, wanted: Callable[[dict[str, Any]], object]) -> set[str]:
        """The titles of the open tasks of which something is true."""
        return {task["title"] for task in self.tasks if wanted(task)}

    def _create_projects(self) -> list[str]:
        made: dict[str, Any] = {}
        for start in range(0, PROJECTS, 10):
            each = [
                f'p{n}: createProject(input: {{name: "Project {n}"}}) {{ project {{ id }} }}'
                for n in range(start, start + 10)
            ]
            made |= self.ask(f"mutation {{ {' '.join(each)} }}")
        return [payload["project"]["id"] for payload in made.values()]

    def _create_tasks(self) -> list[str]:
        parts = [self.tasks[start : start + 100] for start in range(0, OPEN, 100)]
        made = [self.ask(CREATE_TASKS, input={"tasks": part})["createTasks"] for part in parts]
        return [result["task"]["id"] for part in made for result in part["results"]]


def new_task(number: int, projects: list[str], now: datetime) -> dict[str, Any]:
    name = "Cafe\u0301" if number % 50 == 3 else "Chore"
    end_of_day = now.replace(hour=23, minute=59, second=59, microsecond=999_000)
    due = end_of_day + timedelta(days=number - 39)
    return {
        "title": f"{name} number {number}",
        "tags": TAGS[number % len(TAGS)],
        "projectId": projects[number % PROJECTS] if number % 2 else None,
        "dueAt": due.isoformat() if number % 3 == 0 else None,
        "durationMinutes": 15 if number < 50 else None,
        "blockedByIndex": [number % 100 - 1] if number % 100 in range(1, 11) else [],
    }


def finish_many(raw: Any, user_id: str, now: datetime) -> list[Task]:
    """Give somebody finished tasks, a hundred in three days, past the service."""
    done = []
    for number in range(DONE):
        completed_at = now - timedelta(hours=number * 0.72 + 0.1)
        name = "Café" if number % 1_000 == 7 else "Task"
        fields = {"title": f"{name} number {number}", "tags": TAGS[number % len(TAGS)]}
        new = Task.new(user_id, fields, completed_at - timedelta(days=30))
        done.append(new.edit({"status": TaskStatus.COMPLETED}, completed_at))
    for start in range(0, DONE, AT_ONCE):
        puts = [{"PutRequest": {"Item": _item(task)}} for task in done[start : start + AT_ONCE]]
        assert not raw.batch_write_item(RequestItems={"Tasks": puts})["UnprocessedItems"]
    return done


def titles(page: dict[str, Any]) -> set[str]:
    """What a whole list has; none of these lists is longer than a page."""
    assert page["isComplete"]
    assert page["totalCount"] == len(page["nodes"])
    return {node["title"] for node in page["nodes"]}


def due(task: dict[str, Any]) -> datetime:
    """When a task is due; in a thousand years if it is not."""
    return datetime.fromisoformat(task["dueAt"] or "3000-01-01T00:00:00Z")


def look_in_the_morning(life: Life) -> None:
    morning = life.ask(MORNING, planned=(life.now + timedelta(days=1)).isoformat())
    viewer = morning["viewer"]

    assert titles(morning["overdue"]) == life.chosen(lambda task: due(task) < life.now)
    assert (viewer["openCount"], viewer["overdueCount"]) == (OPEN, 13)
    assert {tag["name"] for tag in viewer["tags"]} == {"home", "errands", "waiting", "work"}
    today = life.chosen(lambda task: due(task).date() == life.now.date())
    assert titles(morning["today"]) == today == {"Chore number 39"}
    assert titles(morning["planned"]) == set()
    projects = life.ask(PROJECT_COUNTS)["projects"]["nodes"]
    assert {project["id"]: project["openCount"] for project in projects} == {
        each: sum(task["projectId"] == each for task in life.tasks) for each in life.projects
    }


def choose_at_the_desk(life: Life) -> None:
    project = life.projects[7]
    desk = life.ask(DESK, move=[project])

    assert titles(desk["untagged"]) == life.chosen(lambda task: not task["tags"])
    errands = life.chosen(
        lambda task: task["tags"] in (["home"], ["errands"]) and not task["projectId"]
    )
    assert titles(desk["errands"]) == errands
    assert titles(desk["move"]) == life.chosen(lambda task: task["projectId"] == project)
    assert [len(desk[name]["nodes"]) for name in ("untagged", "errands", "move")] == [80, 80, 14]


def review_a_week(life: Life) -> None:
    begin, end = life.now - timedelta(days=5), life.now - timedelta(days=2)
    week = life.ask(FINISHED, **{"from": begin.isoformat(), "to": end.isoformat()})
    found = life.ask(SEARCH)

    finished = {task.title for task in life.done if begin < task.completed_at < end}
    assert titles(week["tasks"]) == finished
    assert len(finished) == 100
    cafes = {task.title for task in life.done if task.title.startswith("Caf")}
    assert titles(found["tasks"]) == cafes | life.chosen(lambda task: "Caf" in task["title"])


def keep_a_plan(life: Life) -> None:
    wish = {"from": life.now.isoformat(), "taskIds": life.ids[:50]}
    plan = life.ask(PREVIEW, input=wish)["planPreview"]
    applied = life.ask(APPLY, input={**wish, **plan})["planApply"]["applied"]
    fortnight = {"from": life.now.isoformat(), "to": (life.now + timedelta(days=14)).isoformat()}
    shown = life.ask(WEEK, **fortnight)

    assert set(applied) == set(life.ids[:50])
    assert {block["task"]["id"] for block in shown["plannedBlocks"]} == set(applied)
    assert titles(shown["tasks"]) == {task["title"] for task in life.tasks[:50]}


def finish_what_a_view_shows(life: Life) -> None:
    wish = {"name": "Work", "filter": {"status": ["PENDING"], "tags": ["work"]}}
    view = life.ask(CREATE_VIEW, input=wish)["createView"]["view"]
    page = life.ask(BY_VIEW, id=view["id"])
    ready = [
        task_id
        for task_id, task in zip(life.ids, life.tasks, strict=True)
        if task["tags"] == ["work"] and not task["blockedByIndex"]
    ]
    done = {"tasks": [{"id": task_id, "status": "COMPLETED"} for task_id in ready]}
    results = life.ask(COMPLETE, input=done)["updateTasks"]["results"]
    left = life.ask(BY_VIEW, id=view["id"])

    assert titles(page["tasks"]) == life.chosen(lambda task: task["tags"] == ["work"])
    assert [result["error"] for result in results] == [None] * len(ready)
    assert left["viewer"]["openCount"] == OPEN - len(ready)
    waiting = life.chosen(lambda task: task["tags"] == ["work"] and task["blockedByIndex"])
    assert titles(left["tasks"]) == waiting


def test_a_month_takes_fewer_than_twenty_requests(app, ann, monkeypatch):
    now = clock.now().astimezone(UTC)
    monkeypatch.setattr(clock, "now", lambda: now)  # no day ends meanwhile
    life = Life(ann, finish_many(app.extensions["database"].client, ann.id, now), now)

    look_in_the_morning(life)
    choose_at_the_desk(life)
    review_a_week(life)
    keep_a_plan(life)
    finish_what_a_view_shows(life)

    assert life.requests == 19
