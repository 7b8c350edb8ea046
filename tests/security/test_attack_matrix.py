"""docs/attack-matrix.md is whole, and every test that it names is there."""

import ast
import re
from pathlib import Path

from service import ROOT

ROW = re.compile(r"^\| ([A-Z]{2}\d\db?) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "attack-matrix.md").read_text())
NUMBERS = {"AU": 40, "NB": 22, "AZ": 15, "DO": 31, "HT": 30, "DA": 21, "WH": 14} | {
    "TK": 15,
    "CA": 8,
    "MC": 5,
}


def functions(path: Path) -> set[str]:
    """The names of what a module defines."""
    nodes = ast.parse(path.read_text()).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def test_the_matrix_has_every_row_once():
    ids = [row[0] for row in ROWS]
    wanted = {
        f"{group}{number:02}" for group, last in NUMBERS.items() for number in range(1, last + 1)
    } | {"AU12b", "AU24b"}

    assert len(ids) == len(set(ids))
    assert set(ids) == wanted


def test_every_test_that_the_matrix_names_exists():
    named = {name for *_, tests in ROWS for name in re.findall(r"`([^`]+)`", tests)}
    there = {
        f"{path.relative_to(ROOT)}::{name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        if "node_modules" not in path.parts
        for name in functions(path)
        if name.startswith("test_")
    }

    assert len(named) > 50
    assert named - there == set()


def test_every_row_names_a_test():
    without = {row[0] for row in ROWS if not re.search(r"`tests/[a-z_/]*test_", row[3])}

    assert without == set()
