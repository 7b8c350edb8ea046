"""The documentation, replayed: commands, queries and programs give the answers that it shows."""

import json

import pytest
from replay import Replay, blocks
from service import ROOT, running

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.whole
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem
)
def test_a_page_shows_what_happens_in_a_fresh_account(page, tmp_path):
    with running(tmp_path / "data", WORKERS="1") as url:
        replay = Replay(url)
        if page.name != "README.md":  # which registers the account of all others
            replay.log_in()
        for language, text in blocks(page):
            replay.block(language, text)
        replay.end()


FOUND = json.dumps({"id": "01a203d7-847b-7287-8f2c-71cbfc29edc6", "tags": ["a", "b"], "n": 1})


@pytest.mark.parametrize(
    "shown",
    [
        '{"id": "01a203d7-0000-7000-8000-000000000000", "tags": ["a", "b"], "n": 1}',
        '{"id": "…", "tags": ["a", …], …}',
        '{"id": "01a203d7-…", …}',
        '{"tags": […], …}',
    ],
)
def test_a_page_may_leave_out_the_end_and_have_another_id(shown):
    Replay("http://127.0.0.1:1").compare(shown, FOUND)


@pytest.mark.parametrize(
    "shown",
    [
        '{"id": "…", "tags": ["a", "b"], "n": 2}',
        '{"id": "…", "tags": ["a", "b"]}',
        '{"id": "…", "tags": ["a"], "n": 1}',
        '{"id": "…", "tags": ["b", …], "n": 1}',
        '{"tags": ["a", "b"], "id": "…", "n": 1}',
        '{"id": "none", …}',
        '{"name": "…", …}',
    ],
)
def test_a_page_that_shows_something_else_is_wrong(shown):
    with pytest.raises(AssertionError):
        Replay("http://127.0.0.1:1").compare(shown, FOUND)
