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
from graphql_api.api.pages.plan import FILES, PlanPage

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
def test_who_signs_up_sets_hours_and_is_told_what_a_plan_would_change(seen):
    assert {name: seen[name] for name in BEFORE_IT_IS_WRITTEN} == BEFORE_IT_IS_WRITTEN


BEFORE_IT_IS_WRITTEN = {
    "signedUp": "Signed in as Ann.",
    "refused": "Invalid username or password.",
    "signedIn": "Signed in as Ann.",
    "noHours": "“nine to five” are no hours: write them as 09:00-12:00.",
    "saved": "Saved.",
    "zone": "Times are by the clocks of Europe/Berlin; working hours are light.",
    "schedules": ["Schedule evening"],
    "evenings": ["evening 18:00–20:30"],  # noqa: RUF001 - as it is set in print
    "tooFar": "A busy time must be within a year.",
    "keptSchedules": [{"name": "evening", "tags": ["sport"]}],
    "busy": ["11:00–12:00 Remove"],  # noqa: RUF001
    "drawnBusy": ["Busy times of this page 11:00–12:00"],  # noqa: RUF001
    "calendar": ("“work.ics” is added, with 0 busy times: the next preview keeps them free."),
    "calendars": ["work.ics: busy times 0 Remove"],
    "noCalendar": "“work.ics” is removed.",
    "previewed": (
        "Previewed, nothing is written yet. Tasks planned: 4, without a place: 1, at risk: 1."
    ),
    "unplaced": [
        "Catch the train: There is not enough free time before its hard deadline. Missing: 30 min."
    ],
    "at-risk": ["Post the letter: 5 d 23 h 45 min late."],
    "overload": ["Mon, Jan 7: 1 h 15 min too much."],
    "unestimated": ["Learn to sail  minutes Set"],
    "estimated": (
        "“Learn to sail” takes 30 min. Previewed, nothing is written yet."
        " Tasks planned: 5, without a place: 1, at risk: 1."
    ),
}


@pytest.mark.whole
def test_each_move_is_told_with_its_reason(seen):
    assert [move.split(":")[0] for move in seen["moves"]] == [
        "Post the letter",
        "Water the plants",
        "Write the report",
        "Paint the fence",
    ]
    assert seen["moves"][0] == (
        "Post the letter: not planned → Mon, Jan 7 09:00–09:45."  # noqa: RUF001
        " It has the free time in which it ends the earliest."
    )


@pytest.mark.whole
def test_what_is_applied_is_what_is_shown_from_then_on(seen):
    assert seen["applied"] == "Applied. Tasks set: 5, as they were: 1, changed meanwhile: 0."
    assert seen["week"] == "Planned: week of January 7, 2030"
    assert seen["blocks"] == BLOCKS
    assert [line.rstrip() for line in seen["agenda"]][:2] == [
        f"{BLOCKS[0]} urgentlate",
        BLOCKS[1],
    ]
    assert seen["planned"] == [0, 5, 1]
    assert seen["undone"] == "Undone. Tasks restored: 4, changed since: 1."
    assert seen["stale"] == (
        "Not applied: the plan was out of date. Tasks added: 1, removed: 0, changed: 0."
    )
    assert SCREENSHOT.read_bytes().startswith(b"\x89PNG")


BLOCKS = [
    "Mon, Jan 7 09:00–09:45 Post the letter",  # noqa: RUF001
    "Mon, Jan 7 09:45–10:05 Water the plants",  # noqa: RUF001
    "Mon, Jan 7 10:05–10:35 Learn to sail",  # noqa: RUF001
    "Mon, Jan 7 10:35–12:00 Write the report (part 1 of 3)",  # noqa: RUF001
    "Mon, Jan 7 13:00–15:35 Write the report (part 2 of 3)",  # noqa: RUF001
    "Tue, Jan 8 09:00–10:00 Write the report (part 3 of 3)",  # noqa: RUF001
    "Tue, Jan 8 10:00–12:00 Paint the fence (part 1 of 3)",  # noqa: RUF001
    "Tue, Jan 8 13:00–15:35 Paint the fence (part 2 of 3)",  # noqa: RUF001
    "Wed, Jan 9 09:00–11:25 Paint the fence (part 3 of 3)",  # noqa: RUF001
]


@pytest.mark.whole
def test_nine_full_calendars_keep_neither_the_week_away_nor_typed_times_as_they_are(seen):
    assert seen["besideFull"] == [
        "Signed in as Ann.",
        "The busy time is kept: the next preview keeps it free.",
        "The busy time is removed.",
        "16:00–16:30 Remove",  # noqa: RUF001
    ]


@pytest.mark.whole
def test_a_week_is_worked_through_by_keys(seen):
    assert seen["walk"] == [
        "Post the letter",
        "Water the plants",
        "Post the letter",
        "Write the report (part 3 of 3)",
        "Post the letter",
        "Post the letter",
        f"{BLOCKS[1]} ",
    ]
    assert seen["details"][0] == (
        "Mon, Jan 7 09:00–09:45: Post the letter (urgent, late)"  # noqa: RUF001
    )
    assert seen["keys"] == [
        "“Post the letter” is pinned.",
        "“Post the letter” is started.",
        "“Post the letter” is stopped.",
        "“Post the letter” is missed: the next plan finds another time.",
        "“Post the letter” is done.",
    ]
    assert seen["afterwards"].endswith("Post the letter urgentdonelatepinned")
    assert seen["moved"] == "“Post the letter” is moved, and pinned."
    assert seen["movedTo"].startswith("Fri, Jan 11 18:00–18:45 Post the letter")  # noqa: RUF001


@pytest.mark.whole
def test_who_has_the_page_open_for_long_stays_signed_in(seen):
    assert seen["renewed"] == [1, "Planned: week of January 14, 2030."]


@pytest.mark.whole
def test_a_task_is_added_in_one_line(seen):
    assert seen["reading"] == ["friday", "!high"]
    assert seen["added"].startswith("“Call Bob 👋” is added.")


@pytest.mark.whole
def test_the_page_asks_nobody_else_breaks_no_rule_and_keeps_nothing(seen):
    assert [seen[name] for name in ("externalRequests", "cspViolations", "consoleErrors")] == [
        [],
        [],
        [],
    ]
    assert (seen["stored"], seen["leftOver"], seen["signedOut"]) == (False, 0, "Signed out.")
    assert seen["progress"] == "Planning tasks … n s"
    assert len(set(seen["colours"])) == 2
    assert seen["wide"] is False


@pytest.mark.whole
def test_axe_finds_nothing_that_hinders_people(seen):
    if not AXE.is_dir():
        pytest.skip("needs axe-core: make tests/node_modules/.installed")
    assert seen["axe"] == []


@pytest.mark.whole
def test_five_peoples_weeks_are_drawn_and_nobody_is_late(tmp_path):
    artefact = SCREENSHOT.with_name("week.png")
    with running(tmp_path / "data") as url:
        ran = subprocess.run(
            ["node", ROOT / "tests" / "weeks.mjs", url, browser.chromium(), artefact],
            capture_output=True,
            text=True,
            timeout=browser.SECONDS,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    weeks = {name: week for name, week in json.loads(ran.stdout).items() if name in PEOPLE}
    assert {
        name: (week["unplaced"], week["atRisk"]) for name, week in weeks.items()
    } == dict.fromkeys(PEOPLE, ([], []))
    assert [artefact.with_name(f"week-{name}.png").is_file() for name in PEOPLE] == [True] * 5


PEOPLE = ("student", "developer", "parent", "freelancer", "nurse")


def client(*, plan_page):
    # The page needs no store, so nothing has to listen where this one would be.
    config = replace(CONFIG, engine_url="http://127.0.0.1:9", plan_page=plan_page)
    return create_app(config).test_client()


def test_the_page_loads_nothing_but_its_own_files_and_has_nothing_inline():
    served = client(plan_page=True)
    page = served.get("/plan")
    policy = page.headers["Content-Security-Policy"]

    loaded = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert loaded == ["data:,", "/plan/plan.css", "/plan/plan.js", "/graphql"]
    assert not re.search(r"<style|<script>|\s(style|on\w+)=", page.text)
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    answers = [served.get(url) for url in loaded[1:3]]
    assert [(a.status_code, a.mimetype) for a in answers] == [
        (200, "text/css"),
        (200, "text/javascript"),
    ]


def test_every_module_that_another_one_imports_is_served():
    page, wanted = PlanPage(), ["plan.js"]
    for name in wanted:  # grows on the way
        asset = page.asset(name)
        assert asset is not None, name
        found = re.findall(r'from "\./(\w+\.js)"', asset.content.decode())
        wanted += [each for each in found if each not in wanted]

    assert sorted(wanted) == sorted(file.name for file in FILES.glob("*.js"))


@pytest.mark.parametrize("name", ["plan.html", "graphiql.js", "../plan_page.py"])
def test_no_other_file_can_be_fetched_by_its_name(name):
    assert PlanPage().asset(name) is None
    assert client(plan_page=True).get(f"/plan/{name}").status_code == 404


def test_without_the_page_there_is_neither_it_nor_its_files():
    off = client(plan_page=False)

    assert [off.get(url).status_code for url in ("/plan", "/plan/plan.js")] == [404, 404]
