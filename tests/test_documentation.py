"""What the documentation says is so: its files, links and tables."""

import ast
import re
from collections import Counter
from dataclasses import asdict

from click import Group, Option
from graphql import GraphQLObjectType, build_schema, get_named_type
from prometheus_client import CollectorRegistry
from replay import BLOCK
from service import ROOT

from graphql_api.api.rest import export
from graphql_api.api.rest.routes import ROUTES
from graphql_api.cli.main import cli
from graphql_api.domain.tasks.urgency import DEFAULTS
from graphql_api.errors import AppError
from graphql_api.infra.telemetry.metrics import NAMESPACE, Metrics

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


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


def test_the_map_of_the_architecture_has_every_module():
    [tree] = [
        text
        for language, text in BLOCK.findall((ROOT / "docs/architecture.md").read_text())
        if language == "tree"
    ]
    folders, told = [], {}
    for indent, name, purpose in re.findall(r"^( *)(\S+) *(.*)$", tree, re.MULTILINE):
        folders[len(indent) // 2 :] = [name]
        told["".join(folders)] = purpose
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "graphql_api").rglob("*.py")
        if path.read_text().count("\n") > 1  # not the marker of a package
    }

    assert {name for name in told if name.endswith(".py")} == modules
    assert [name for name, purpose in told.items() if not purpose] == ["graphql_api/"]


DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings():
    """The first line of each docstring of the package, by module and line."""
    for path in (ROOT / "graphql_api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, DOCUMENTED):
                for each in node.body:  # those of attributes, too, which follow them
                    match each:
                        case ast.Expr(value=ast.Constant(value=str(text))):
                            yield f"{path.relative_to(ROOT)}:{each.lineno}", text.split("\n")[0]


def test_a_docstring_begins_with_a_verb_or_a_noun():
    questions = {"What", "Whether", "How", "Who", "Where", "When", "Why", "Which", "Those", "That"}

    assert {place: text for place, text in docstrings() if text.split()[0] in questions} == {}


def test_at_most_ten_modules_lie_in_a_folder():
    modules = (path for path in (ROOT / "graphql_api").rglob("*.py") if path.name != "__init__.py")
    folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules)

    assert {folder: count for folder, count in folders.items() if count > 10} == {}


def test_every_module_of_tests_has_a_name_of_its_own():
    """Of two that share one, pytest collects the first only."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []


def test_the_readme_is_a_front_door():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text()

    assert [page.name for page in PAGES[2:] if f"](docs/{page.name})" not in text] == []


def rows(page, heading):
    """The cells of the first table under a heading."""
    section = (ROOT / "docs" / page).read_text().partition(f"# {heading}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_codes_of_errors_are_those_that_there_are():
    told = {code for code, *_ in rows("graphql.md", "Errors") for code in spans(code)}
    of_http = {
        *("METHOD_NOT_ALLOWED", "CONTENT_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"),
        *("BAD_REQUEST", "REQUEST_TIMEOUT"),
    }

    assert told - of_http == {error.code for error in [AppError, *AppError.__subclasses__()]}


def test_the_metrics_are_those_that_are_counted():
    told = {
        name.removesuffix("_total"): tuple(spans(labels))
        for names, labels, _ in rows("operations.md", "Metrics")
        for name in spans(names)
    }

    counted = Metrics(CollectorRegistry()).registry._collector_to_names
    assert told == {
        metric._name.removeprefix(f"{NAMESPACE}_"): metric._labelnames for metric in counted
    }


def test_the_coefficients_of_urgency_are_the_defaults():
    told = {
        re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name): float(value)
        for names, values, _ in rows("planning.md", "Urgency")
        for name, value in zip(spans(names), values.split(", "), strict=True)
    }

    assert told == asdict(DEFAULTS)


def test_the_rest_routes_are_those_that_there_are():
    told = set()
    for cell, _ in rows("rest.md", "Routes"):
        methods = []
        for verb, path in re.findall(r"`([A-Z]*) ?(/[\w/<>-]*)?", cell):
            methods = [*methods, verb] if verb else methods
            told |= {(method, path) for method in methods if path}
    told -= {("GET", "/healthz"), ("GET", "/readyz"), ("GET", export.PATH)}

    assert told == {(method, route.path) for route in ROUTES for method in route.methods}


def test_the_commands_are_those_that_there_are():
    told = {}
    for cell, _ in rows("operations.md", "Commands"):
        [usage] = spans(cell)
        told[re.match("[a-z ]*[a-z]", usage)[0]] = re.findall(r"(?<=\[)-+[a-z-]+", usage)

    assert told == dict(commands(cli))


def commands(group, *path):
    """The names of all commands, with the first name of each option."""
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield from commands(command, *path, name)
        else:
            options = [param.opts[0] for param in command.params if isinstance(param, Option)]
            yield " ".join([*path, name]), options
