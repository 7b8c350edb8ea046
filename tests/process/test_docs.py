"""The documentation, replayed: commands, queries and programs give the answers that it shows."""

import json
import re

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type
from replay import BLOCK, Replay, blocks
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


def test_every_example_is_in_a_block_that_is_replayed():
    for page in PAGES:
        outside = BLOCK.sub("", page.read_text())
        assert "```" not in outside, page.name
        assert not re.search(r"\n\n {4}\S", outside), page.name


def test_every_link_between_pages_leads_somewhere():
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
            there = page.parent / target if target else page
            assert there.exists(), f"{page.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
                assert anchor in {slug(heading) for heading in headings}, f"{page.name}: #{anchor}"


def test_every_file_that_is_named_is_there():
    folders = ("graphql_api", "tests", "bench", "deploy", "requirements", ".")
    files = {
        path.as_posix()
        for folder in folders
        for path in (ROOT / folder).glob("*" if folder == "." else "**/*")
    }
    pages = [*PAGES, ROOT / "SECURITY.md", *(ROOT / "docs" / "decisions").glob("*.md")]
    for page in pages:
        for name in re.findall(
            r"`([\w/.-]+\.(?:py|mjs|txt|toml|ya?ml))(?:::\w+)?`", page.read_text()
        ):
            assert any(file.endswith(f"/{name}") for file in files), f"{page.name}: {name}"


def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_graphcache_is_told_of_every_type_without_a_key():
    found, queue = {}, [build_schema((ROOT / "schema.graphql").read_text()).query_type]
    while queue:
        kind = queue.pop()
        if isinstance(kind, GraphQLObjectType) and kind.name not in found:
            found[kind.name] = kind
            queue += [get_named_type(field.type) for field in kind.fields.values()]
    known = re.compile("Query|PageInfo|.*(Connection|Edge)")  # to graphcache itself

    page = (ROOT / "docs" / "clients.md").read_text()
    told = re.findall(r"'(\w+)'", page.partition("const keys =")[2].partition("]")[0])
    assert sorted(told) == sorted(
        name
        for name, kind in found.items()
        if "id" not in kind.fields and not known.fullmatch(name)
    )


def test_the_readme_is_a_front_door():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250
