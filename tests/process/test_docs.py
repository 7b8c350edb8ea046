"""The README's tour, replayed: its commands and queries give the answers that it shows."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from service import ROOT, running

pytestmark = pytest.mark.whole

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from run to run: tokens, ids, times, cursors.
VOLATILE = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f-]{36}\.[0-9a-f-]{36}\.[\w-]{43}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?!2030)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"  # the tour's own dates are in 2030
    r"|(?<=\")[\w-]{60,}(?=\")"
)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[str]:
    """The port of the service as `make run` starts it."""
    with running(tmp_path_factory.mktemp("data")) as url:
        yield url.rpartition(":")[2]


class Tour:
    """Replays blocks in their order, and learns what this run's ids and tokens are."""

    def __init__(self, port: str) -> None:
        self.port = port
        self.known: dict[str, str] = {}
        self.variables = ""

    def here(self, text: str) -> str:
        """The text of the README with this run's values in it."""
        text = text.replace("localhost:5000", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:5000", f"127.0.0.1:{self.port}")
        return VOLATILE.sub(lambda value: self.known.get(value[0], value[0]), text)

    def agree(self, shown: str, found: str) -> None:
        """Both say the same, apart from what differs from run to run."""
        assert VOLATILE.sub("…", shown) == VOLATILE.sub("…", found)
        self.known.update(zip(VOLATILE.findall(shown), VOLATILE.findall(found), strict=True))

    def console(self, block: str) -> None:
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).+\n)*)", block, re.MULTILINE):
            found = subprocess.run(
                ["bash", "-c", self.variables + self.here(command)],
                capture_output=True,
                text=True,
                check=True,
            )
            self.agree(shown.strip(), found.stdout.strip())
            if re.match(r"[A-Z]+=", command):  # it stays set, as in a terminal
                self.variables += self.here(command) + "\n"

    def graphql(self, query: str, shown: str) -> None:
        tokens = [value for value in self.known.values() if value.startswith("eyJ")]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": self.here(query)}).encode(),
            {"Content-Type": "application/json", "Authorization": tokens[-1]},
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
        self.agree(json.dumps(json.loads(shown)), json.dumps(found))

    def js(self, program: str, shown: str) -> None:
        script = ROOT / "tests" / "node_modules" / "readme.mjs"  # where its imports are found
        script.write_text(self.here(program))
        found = subprocess.run(
            ["node", str(script)], capture_output=True, text=True, check=True, timeout=30
        )
        self.agree(shown.strip(), found.stdout.strip())


def test_the_tour_of_the_readme_is_true(port):
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    tour = Tour(port)

    for (language, text), (_, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "console":
            tour.console(text)
        elif language == "graphql":
            tour.graphql(text, shown)
        elif language == "js":
            if not (shutil.which("node") and (ROOT / "tests/node_modules/@apollo/client").is_dir()):
                pytest.skip("all but Apollo Client was replayed: it needs `npm ci` in tests/")
            tour.js(text, shown)

    assert [language for language, _ in blocks] == [
        *["console"] * 3,
        *["graphql", "json"] * 13,
        *["js", "text"],
    ]


def test_the_example_of_settings_is_good(port):
    def ask(query, token=""):
        body = json.dumps({"query": query}).encode()
        headers = {"Content-Type": "application/json", "Authorization": token}
        url = f"http://127.0.0.1:{port}/graphql"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return json.load(answer)

    readme = (ROOT / "README.md").read_text()
    [example] = re.findall(
        r"^    (mutation \{ updateSettings.*?)\n\n", readme, re.MULTILINE | re.DOTALL
    )
    account = '{ username: "settings", password: "correct horse battery" }'
    token = ask(f"mutation {{ register(input: {account}) {{ token }} }}")["data"]["register"][
        "token"
    ]

    settings = ask(example, token)["data"]["updateSettings"]["settings"]

    assert settings["timezone"] == "Europe/Berlin"
    assert settings["daysOff"] == ["2026-12-24"]
    [monday] = [day for day in settings["workingHours"] if day["day"] == "MONDAY"]
    assert [hours["start"] for hours in monday["intervals"]] == ["09:00", "13:00"]
