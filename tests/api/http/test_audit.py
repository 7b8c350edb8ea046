"""The GraphQL over HTTP specification, as npm's graphql-http audits it."""

import json
import shutil
import subprocess
import threading

import pytest
from service import ROOT
from werkzeug.serving import make_server

HERE = ROOT / "tests"


@pytest.mark.whole
@pytest.mark.engine_is_no_matter
def test_all_61_audits_of_graphql_over_http_are_ok(app):
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "graphql-http").is_dir():
        pytest.skip("the audit needs node and `npm ci` in tests/ (graphql-http)")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever).start()
    try:
        url = f"http://127.0.0.1:{server.port}/graphql"
        audit = subprocess.run(
            [node, str(HERE / "audit.mjs"), url],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    finally:
        server.shutdown()

    results = json.loads(audit.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
