"""Settings of the whole process, and patches of libraries, are made in one module only."""

import ast
import platform
import subprocess
import sys

import pytest
from test_contract import modules

PROCESS_WIDE = "infra/process_wide.py"
CALLS = {
    *("sys.setswitchinterval", "sys.setrecursionlimit", "gc.freeze", "gc.disable"),
    *("gc.set_threshold", "signal.signal", "os.setsid", "os.sched_setscheduler"),
    *("resource.setrlimit", "threading.stack_size", "locale.setlocale", "os.umask"),
}


def patches(path):
    """Calls that set something of the process, and assignments to what a module has imported."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    targets = [each for node in nodes if isinstance(node, ast.Assign) for each in node.targets]
    assigned = {ast.unparse(each) for each in targets if isinstance(each, ast.Attribute)}
    return (calls & CALLS) | {text for text in assigned if text.split(".")[0] in names}


def test_no_other_module_sets_or_patches_what_the_whole_process_has():
    found = {name: patches(path) for name, path in modules().items()}

    assert {name for name, made in found.items() if made} == {PROCESS_WIDE}


def test_such_settings_and_patches_are_found():
    assert {"sys.setswitchinterval", "gc.freeze", "ServerHandler.server_software"} <= patches(
        modules()[PROCESS_WIDE]
    )


FRAGMENTS = """
import gc, resource, time
from pathlib import Path
from graphql_api.infra import process_wide

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 10**6

before = megabytes()
pieces = [bytes([number % 256]) * 100_000 for number in range(1_000)]
last_of_each_ten = pieces[::10]
del pieces
gc.collect()
held = megabytes() - before
process_wide.keep_returning_memory()
deadline = time.monotonic() + 20
while megabytes() - before > 30 and time.monotonic() < deadline:
    time.sleep(0.05)
print(held, megabytes() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc keeps and returns memory so"
)
def test_memory_that_is_free_between_what_is_in_use_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", FRAGMENTS], capture_output=True, text=True, check=True
    )
    held, left = map(int, done.stdout.split())

    assert held > 90
    assert left <= 30
