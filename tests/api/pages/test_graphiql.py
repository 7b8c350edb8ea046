import base64
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import browser
import pytest
from service import ROOT

from graphql_api import create_app
from graphql_api.api.pages.graphiql import CDN, INSTALLED, PACKAGES, GraphiQL
from graphql_api.config import Config

SCRIPT = ROOT / "tests" / "graphiql.mjs"
SCREENSHOT = ROOT / "artifacts" / "graphiql.png"
FOLLOWING = ROOT / "artifacts" / "graphiql-subscription.png"

START_SECONDS = 120
STOP_SECONDS = 120

# What the developer's shell may have set must not change what is tested; "" means the default.
SETTINGS = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "WORKERS": "1",
    "THREADS": "",
    "DYNAMODB": "embedded",
    "TABLE_PREFIX": "",
    "JWT_SECRET": "",
    "JWT_PREVIOUS_SECRET": "",
    "JWT_TTL": "",
    "GRAPHIQL": "",
    "INTROSPECTION": "",
    "CORS_ORIGINS": "",
}


@pytest.fixture
def chromium() -> str:
    """The path of a Chromium; skips the test if anything that it needs is missing."""
    path = browser.chromium()
    if not GraphiQL().local:
        pytest.skip("needs GraphiQL's packages: make graphiql")
    return path


@pytest.fixture
def running(tmp_path) -> Iterator[str]:
    """The URL of the real service, in a process of its own."""
    out = tmp_path / "out"
    environment = os.environ | SETTINGS | {"DATA_DIR": str(tmp_path / "data")}
    with (
        out.open("wb") as stdout,  # a pipe that nobody empties could stop the service
        subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=environment,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _started(process, out)
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)
        finally:
            process.kill()  # nothing happens if it has ended, as it should


def _started(process: subprocess.Popen, out: Path) -> str:
    """The URL that the process prints, once it answers there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"(http://127\.0\.0\.1:\d+)/graphql \(GraphiQL\)\n", out.read_text())
        if found and _ready(found[1]):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"The service did not start (exit code {process.poll()}): {out.read_text()}")


def _ready(url: str) -> bool:
    # Not urllib: it would go through a proxy that the environment names.
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def packages(tmp_path) -> Path:
    """A directory like node_modules with a file in every place where GraphiQL looks for one."""
    for package in PACKAGES:
        path = tmp_path / package.name / package.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"/* {package.file} */")
    return tmp_path


def _policy(page: GraphiQL) -> dict[str, list[str]]:
    directives = (part.split() for part in page.content_security_policy.split(";"))
    return {name: sources for name, *sources in directives}


def _loaded(page: GraphiQL) -> list[str]:
    """Every URL that the page's HTML makes a browser fetch."""
    return [url for url in re.findall(r'(?:href|src)="([^"]+)"', page.html) if url != "data:,"]


def _client(*, graphiql: bool):
    # The page needs no store, so nothing has to listen where this one would be.
    config = Config(
        graphiql=graphiql, engine_url="http://127.0.0.1:9", jwt_secret=b"only for this test" * 2
    )
    return create_app(config).test_client()


@pytest.mark.whole
def test_a_newcomer_can_use_graphiql_in_a_browser_that_has_no_network(chromium, running):
    SCREENSHOT.parent.mkdir(exist_ok=True)
    for picture in (SCREENSHOT, FOLLOWING):
        picture.unlink(missing_ok=True)
    ran = subprocess.run(
        ["node", SCRIPT, running, chromium, SCREENSHOT],
        capture_output=True,
        text=True,
        timeout=browser.SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "docs": "The viewer's tasks.",
        "explorer": True,
        "username": "Ann",
        "taskTitle": "Water the plants",
        "followed": ["TASK_CREATED", "Sow carrots"],
        "errorCode": "BAD_USER_INPUT",
        "tokenStored": False,
        "externalRequests": [],
        "cspViolations": [],
        "consoleErrors": [],
    }
    for picture in (SCREENSHOT, FOLLOWING):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_with_its_packages_installed_the_page_may_load_only_what_this_service_has(packages):
    page = GraphiQL(installed=packages)
    policy = _policy(page)
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["connect-src"] == ["'self'"]
    assert CDN not in page.content_security_policy
    assert CDN not in page.html


def test_every_file_that_the_installed_page_loads_is_served(packages):
    page = GraphiQL(installed=packages)
    urls = _loaded(page)
    assert len(urls) == len(PACKAGES) + 2
    for url in urls:
        asset = page.asset(url.removeprefix("/graphiql/"))
        assert asset.content
        assert asset.media_type == ("text/css" if url.endswith(".css") else "text/javascript")


def test_without_its_packages_the_page_names_the_same_files_on_the_cdn_by_their_hashes(tmp_path):
    page = GraphiQL(installed=tmp_path)
    named = re.findall(
        r'(?:href|src)="([^"]+)" integrity="([^"]+)" crossorigin="anonymous"', page.html
    )
    assert named == [
        (f"{CDN}/{package.name}@{package.version}/{package.file}", package.integrity)
        for package in PACKAGES
    ]


def test_without_its_packages_the_policy_adds_the_cdn_for_files_but_not_for_requests(tmp_path):
    policy = _policy(GraphiQL(installed=tmp_path))
    assert policy["script-src"] == ["'self'", CDN]
    assert policy["style-src"] == ["'self'", CDN, "'unsafe-inline'"]
    assert policy["connect-src"] == ["'self'"]


def test_an_installation_that_misses_one_file_is_not_used(packages):
    (packages / PACKAGES[-1].name / PACKAGES[-1].file).unlink()
    page = GraphiQL(installed=packages)
    assert not page.local
    assert page.html.count(CDN) == len(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: f"{package.name}/{package.file}")
def test_an_installed_file_has_the_hash_that_the_page_names(package):
    path = INSTALLED / package.name / package.file
    if not path.is_file():
        pytest.skip("needs GraphiQL's packages: make graphiql")
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
    assert package.integrity == f"sha384-{digest}"


def test_npm_installs_the_versions_that_the_page_names():
    wanted = json.loads((ROOT / "graphiql" / "package.json").read_text())["dependencies"]
    assert wanted == {package.name: package.version for package in PACKAGES}


@pytest.mark.parametrize("name", ["graphiql.html", "../graphiql.py", "", "react-0.0.0.js"])
def test_no_other_file_can_be_fetched_by_its_name(packages, name):
    assert GraphiQL(installed=packages).asset(name) is None


def test_a_browser_gets_the_page_with_its_own_policy():
    answer = _client(graphiql=True).get("/graphql", headers={"Accept": "text/html"})
    page = GraphiQL()
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.text == page.html
    assert answer.headers["Content-Security-Policy"] == page.content_security_policy


def test_with_graphiql_off_neither_the_page_nor_its_files_are_served():
    client = _client(graphiql=False)
    page = client.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 406
    assert page.mimetype == "application/json"
    assert client.get("/graphiql/start.js").status_code == 404
