"""Nothing acknowledged is lost, whatever is killed (`make chaos` for longer than a moment)."""

import os
import random
import sys

import pytest
import runner
from test_process import environment

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are found through /proc"),
]

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 6)
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(2**32))


@pytest.mark.parametrize("proxied", [False, True], ids=["embedded", "behind a faulty network"])
def test_every_history_is_one_that_could_have_been_without_a_fault(tmp_path, capsys, proxied):
    environment(tmp_path)  # skips where there is no engine
    with runner.rig(tmp_path, proxied=proxied) as rig:
        report = runner.run(rig, SECONDS, SEED)

    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")
    assert report.violations == [], "\n".join(report.violations)
    assert report.outcomes["ok"] > 50
    assert report.kills.total() >= 3
    assert bool(report.faults) == proxied
