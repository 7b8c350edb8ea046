"""Settings of the whole process, and patches of libraries, are made in one module only."""

import ast

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
