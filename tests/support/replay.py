"""Replays what a page of documentation shows, and compares what comes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Template
from service import ROOT

# What differs from run to run: tokens, ids, times, cursors and hashes.
VOLATILE = (
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f-]{36}\.[0-9a-f-]{36}\.[\w-]{43,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?!2030)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"  # the pages' own dates are in 2030
    r"|(?<![\w-])[\w-]{60,}(?![\w-])"
)
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
ACCOUNT = {"username": "ann", "password": "correct horse battery"}
CLIENTS = ROOT / "tests" / "clients"


def blocks(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    return BLOCK.findall(page.read_text())


class Replay:
    """Runs blocks in their order on one service, and learns this run's ids and tokens.

    Of an answer that is JSON, a page may leave out the end of an object or a list (`…`) and a
    part of any text (`"eyJ…"`).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.known: dict[str, str] = {}  # value of the page: value of this run
        self.variables = ""  # of the shell
        self.query = ""  # whose answer comes next
        self.program: dict[str, str] = {}  # language: source whose output comes next

    def log_in(self) -> None:
        """Begin with the account and the TOKEN that the README's tour has made."""
        self.variables = f"TOKEN={self.post('/auth/register', ACCOUNT)['token']}\n"

    def block(self, language: str, text: str) -> None:
        """Run the next block, or compare it with what the one before it has given."""
        if language != "json":
            assert not self.query, f"no answer is shown to {self.query}"
        if language not in {"text", *self.program}:
            assert not self.program, f"no output is shown of {self.program}"
        getattr(self, language)(text)

    def end(self) -> None:
        """Assert that nothing waits for its answer."""
        self.block("conf", "")

    def conf(self, _: str) -> None:
        """Take the file of another program for granted."""

    def tree(self, _: str) -> None:
        """Leave a tree of files to `test_documentation.py`."""

    def sh(self, text: str) -> None:
        """Check the syntax of commands for another machine or a later day."""
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)

    def console(self, text: str) -> None:
        for command, shown in COMMAND.findall(text):
            found = output("bash", "-ec", self.variables + self.here(command))
            self.compare(shown, found)
            if re.match(r"[A-Z]+=", command):  # it stays set, as in a terminal
                self.variables += self.here(command) + "\n"

    def graphql(self, text: str) -> None:
        self.query = text

    def json(self, text: str) -> None:
        assert self.query, f"no query is shown to {text}"
        found = self.post("/graphql", {"query": self.here(self.query)}, self.token)
        self.query = ""
        self.compare(text, json.dumps(found))

    def js(self, text: str) -> None:
        self.program["js"] = self.program.get("js", "") + text

    def python(self, text: str) -> None:
        self.program["python"] = self.program.get("python", "") + text

    def text(self, shown: str) -> None:
        """Run the program that the blocks before are parts of."""
        [(language, source)] = self.program.items()
        self.program.clear()
        run = {"js": node, "python": python}[language]
        self.compare(shown, run(self.here(source), self.environment))

    def yaml(self, text: str) -> None:
        """Ask for what Home Assistant's sensors show, and do what its commands do."""
        given = yaml.safe_load(self.here(text).replace("sts_…", self.environment["TOKEN"]))
        for rest in given["rest"]:
            found = ask(rest["resource"], rest["headers"], rest["payload"])
            for sensor in rest["sensor"]:
                shown = Template(sensor["value_template"]).render(value_json=found)
                assert shown.isdigit(), sensor
        for command in given["rest_command"].values():
            headers = {**command["headers"], "Content-Type": command["content_type"]}
            payload = Template(command["payload"]).render(title="Call home")
            assert ask(command["url"], headers, payload)["title"] == "Call home"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of programs: with the TOKEN that the page's commands have set."""
        token = output("bash", "-ec", f'{self.variables}printf %s "${{TOKEN-}}"')
        return {**os.environ, "TOKEN": token}

    @cached_property
    def token(self) -> str:
        """An access token of the page's account, as if it were in GraphiQL's headers."""
        return self.post("/auth/login", ACCOUNT)["token"]

    def post(self, path: str, body: dict[str, Any], token: str = "") -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def here(self, text: str) -> str:
        """The text of the page with this run's address and values in it."""
        text = text.replace("127.0.0.1:5000", self.url.removeprefix("http://"))
        return re.sub(VOLATILE, lambda value: self.known.get(value[0], value[0]), text)

    def compare(self, shown: str, found: str) -> None:
        """Assert that both say the same, apart from what differs or is left out."""
        try:
            answer = json.loads(found)
        except ValueError:
            self.agree(shown.strip(), found.strip())
        else:
            self.agree(json.loads(explicit(shown)), answer)

    def agree(self, shown: Any, found: Any, at: str = "answer") -> None:
        if isinstance(shown, dict):
            names = [name for name in shown if name != "…"]
            rest = set(names) if "…" in shown else set(found)
            assert names == [name for name in found if name in rest], f"{at}: {found}"
            for name in names:
                self.agree(shown[name], found[name], f"{at}.{name}")
        elif isinstance(shown, list):
            end = len(shown) - 1 if shown[-1:] == ["…"] else max(len(shown), len(found))
            assert len(shown[:end]) == len(found[:end]), f"{at}: {found}"
            for n, pair in enumerate(zip(shown[:end], found[:end], strict=True)):
                self.agree(*pair, f"{at}[{n}]")
        elif isinstance(shown, str):
            match = re.fullmatch(pattern(shown), found)
            assert match, f"{at} is\n{found}\nnot\n{shown}"
            self.known.update(zip(re.findall(VOLATILE, shown), match.groups(), strict=True))
        else:
            assert shown == found, f"{at}: {found}"


def explicit(shown: str) -> str:
    """JSON of what a page shows: `…` is a member and an item of this name."""
    return re.sub(r"…(?=\s*])", '"…"', re.sub(r"…(?=\s*})", '"…": ""', shown))


def pattern(shown: str) -> str:
    """A regular expression for a text, with a group for each value that differs."""
    parts = re.split(f"({VOLATILE}|…)", shown)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = ['[^"]*' if part == "…" else f"({VOLATILE})" for part in parts[1::2]]
    return "".join(parts)


def ask(url: str, headers: dict[str, str], body: str) -> Any:
    """The JSON that a POST of JSON is answered with."""
    request = urllib.request.Request(url, body.encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def output(*command: str, env: dict[str, str] | None = None) -> str:
    """What a command prints that ends well and warns of nothing."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env=env
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr or done.stdout
    return done.stdout


def python(source: str, env: dict[str, str]) -> str:
    return output(sys.executable, "-c", source, env=env)


def node(source: str, env: dict[str, str]) -> str:
    if not (shutil.which("node") and (CLIENTS / "node_modules").is_dir()):
        pytest.skip(
            "the rest of the page needs Node and `npm ci --ignore-scripts` in tests/clients/"
        )
    script = CLIENTS / "node_modules" / f"docs-{os.getpid()}.mjs"  # where its imports are found
    script.write_text(source)
    try:
        return output("node", str(script), env=env)
    finally:
        script.unlink()
