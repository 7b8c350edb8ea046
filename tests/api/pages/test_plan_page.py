"""The page of the plan, in a browser and without one."""

import json
import re
import subprocess
from dataclasses import replace

import browser
import pytest
from engines import CONFIG
from service import ROOT, running

from graphql_api import create_app
from graphql_api.api.pages.plan import PlanPage

SCREENSHOT = ROOT / "artifacts" / "plan.png"
AXE = ROOT / "tests" / "node_modules" / "axe-core"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What a person sees who plans a week."""
    chromium = browser.chromium()
    SCREENSHOT.parent.mkdir(exist_ok=True)
    SCREENSHOT.unlink(missing_ok=True)
    with running(tmp_path_factory.mktemp("plan") / "data") as url:
        ran = subprocess.run(
            ["node", ROOT / "tests" / "plan.mjs", url, chromium, SCREENSHOT],
            capture_output=True,
            text=True,
            timeout=browser.SECONDS,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.whole
def test_a_week_is_planned_applied_and_undone_in_a_browser_without_a_network(seen):
    assert {name: value for name, value in seen.items() if name != "axe"} == {
        "refused": "Invalid username or password.",
        "signedIn": "Signed in as Ann",
        "previewed": "Previewed. Tasks planned: 4, without a place: 1, at risk: 1.",
        "week": "Week of January 7, 2030",
        "blocks": [
            "Mon, Jan 7 09:00–09:45 Post the letter",  # noqa: RUF001 - as it is set in print
            "Mon, Jan 7 09:45–10:15 Water the plants",  # noqa: RUF001
            "Mon, Jan 7 10:15–12:00 Write the report (part 1 of 2)",  # noqa: RUF001
            "Mon, Jan 7 13:00–16:15 Write the report (part 2 of 2)",  # noqa: RUF001
            "Tue, Jan 8 09:00–12:00 Paint the fence (part 1 of 2)",  # noqa: RUF001
            "Tue, Jan 8 13:00–17:00 Paint the fence (part 2 of 2)",  # noqa: RUF001
        ],
        "unplaced": [
            "Catch the train: There is not enough free time before its hard deadline. Missing: 1 h."
        ],
        "at-risk": ["Post the letter: 5 d 23 h 45 min late."],
        "unestimated": ["Learn to sail"],
        "walk": [
            "Post the letter",
            "Water the plants",
            "Post the letter",
            "Paint the fence (part 1 of 2)",
            "Post the letter",
            "Post the letter",
        ],
        "details": [
            "Monday, 09:00–09:45: Post the letter",  # noqa: RUF001
            "It has the free time in which it ends the earliest.",
            "It ends 5 d 23 h 45 min after its deadline.",
        ],
        "sameInTitle": True,
        "colours": ["rgb(255, 255, 255)", "rgb(18, 22, 29)"],
        "next": "Week of January 14, 2030.",
        "back": "Week of January 7, 2030.",
        "applied": "Applied. Tasks set: 4, as they were: 1, changed meanwhile: 0.",
        "undone": "Undone. Tasks restored: 4, changed since: 0.",
        "stale": (
            "Not applied: the plan was out of date. Tasks added: 1, removed: 0, changed: 0."
            " Previewed. Tasks planned: 5, without a place: 1, at risk: 1."
        ),
        "progress": "Planning 5 tasks … n s",
        "planned": [4, 0, 0],
        "stored": False,
        "signedOut": "Signed out.",
        "leftOver": 0,
        "externalRequests": [],
        "cspViolations": [],
        "consoleErrors": [],
    }
    assert SCREENSHOT.read_bytes().startswith(b"\x89PNG")


@pytest.mark.whole
def test_axe_finds_nothing_that_hinders_people(seen):
    if not AXE.is_dir():
        pytest.skip("needs axe-core: make tests/node_modules/.installed")
    assert seen["axe"] == []


def client(*, plan_page):
    # The page needs no store, so nothing has to listen where this one would be.
    config = replace(CONFIG, engine_url="http://127.0.0.1:9", plan_page=plan_page)
    return create_app(config).test_client()


def test_the_page_loads_nothing_but_its_own_files_and_has_nothing_inline():
    served = client(plan_page=True)
    page = served.get("/plan")
    policy = page.headers["Content-Security-Policy"]

    loaded = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert loaded == ["data:,", "/plan/plan.css", "/plan/plan.js"]
    assert not re.search(r"<style|<script>|\s(style|on\w+)=", page.text)
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    answers = [served.get(url) for url in loaded[1:]]
    assert [(a.status_code, a.mimetype) for a in answers] == [
        (200, "text/css"),
        (200, "text/javascript"),
    ]


@pytest.mark.parametrize("name", ["plan.html", "graphiql.js", "../plan_page.py"])
def test_no_other_file_can_be_fetched_by_its_name(name):
    assert PlanPage().asset(name) is None
    assert client(plan_page=True).get(f"/plan/{name}").status_code == 404


def test_without_the_page_there_is_neither_it_nor_its_files():
    off = client(plan_page=False)

    assert [off.get(url).status_code for url in ("/plan", "/plan/plan.js")] == [404, 404]
