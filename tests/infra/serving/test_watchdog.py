"""A worker that hangs is replaced; one that is only busy is not."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_process import ROOT, SOON, Program, environment, linux, stopped, workers

WORKER = """
import os, re, time
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.concurrency.hub import Hub
from graphql_api.infra.serving import watchdog

def app(_):
    {work}
    hub.add_done_callback(app, context=None)

watchdog.HUNG_SECONDS = {hung}
hub = Hub(4, 2)
watchdog.watch_hub(hub)
hub.start()
for _ in range(8):
    hub.add_done_callback(app, context=None)
time.sleep({seconds})
print("well", flush=True)
os._exit(0)  # as a worker ends, which was forked: no greenlet may be at work while Python ends
"""
# The exit code, what counts as hanging, and how long to look on, both in seconds. Whatever only
# seems to hang on a busy machine has many times its own pauses until it would count.
WORKS = {
    "while True: pass": (1, 1, 300),
    "time.sleep(300)": (1, 1, 300),
    "re.match('(a+)+$', 'a' * 60 + 'b')": (1, 1, 300),  # keeps Python's lock
    "time.sleep(0.1)": (0, 5, 8),  # nobody hangs, though no thread is ever free
    "[(extend_deadline(), time.sleep(0.1)) for _ in range(600)]": (0, 5, 8),  # a long work goes on
}


@pytest.mark.whole
@pytest.mark.parametrize("work", WORKS)
def test_a_process_ends_when_it_hangs_and_not_when_it_is_busy(work):
    code, hung, seconds = WORKS[work]

    done = subprocess.run(
        [sys.executable, "-c", WORKER.format(work=work, hung=hung, seconds=seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * SOON,
        check=False,
    )

    assert done.returncode == code
    assert done.stdout == ("well\n" if code == 0 else "")
    assert ("in app" in done.stderr) == (code == 1)  # where it hangs


SERVICE = """
import runpy
import graphql_api.app as composition
from graphql_api.infra.serving import watchdog
watchdog.HUNG_SECONDS = 1.0
create = composition.create_app

def create_app(config, **options):
    def hang(request):
        while True:
            pass
    app = create(config, **options)
    app.add_url_rule("/hang", view_func=hang)
    return app

composition.create_app = create_app
runpy.run_path("app.py", run_name="__main__")
"""


@linux
@pytest.mark.whole
def test_a_hung_worker_is_replaced(tmp_path):
    environment(tmp_path)  # skips where there is no engine
    settings = {"DATA_DIR": tmp_path / "data", "WORKERS": 1, "THREADS": 2}
    with Program((sys.executable, "-c", SERVICE), tmp_path, **settings) as service:
        service.ready()
        [hung] = workers(service)
        with ThreadPoolExecutor(2) as clients:
            asked = [clients.submit(service.get, "/hang") for _ in range(2)]
            service.eventually(lambda: workers(service) not in ([], [hung]))
            assert all(each.exception() for each in asked)  # nobody answered
        service.eventually(lambda: service.get("/readyz").status == 200)

        assert "in hang" in service.errors.read_text()
        assert service.end() == 0


STOPPED = """
import runpy
from graphql_api.infra.serving import watchdog
watchdog.STOPPED_SECONDS = 5.0
runpy.run_path("app.py", run_name="__main__")
"""


@linux
@pytest.mark.whole
def test_stopped_workers_are_replaced_and_those_that_go_on_are_not(tmp_path):
    environment(tmp_path)  # skips where there is no engine
    settings = {"DATA_DIR": tmp_path / "data", "WORKERS": 2}
    with Program((sys.executable, "-c", STOPPED), tmp_path, **settings) as service:
        service.ready()
        first = set(workers(service))
        for worker in first:
            with stopped(worker):
                time.sleep(2.6)  # longer than that together, though none of them by far
        time.sleep(2)
        assert set(workers(service)) == first

        for worker in first:
            os.kill(worker, signal.SIGSTOP)

        service.eventually(lambda: len(set(workers(service)) - first) == 2)
        service.eventually(lambda: service.get("/readyz", timeout=5).status == 200)
        assert service.errors.read_text().count("has been stopped for too long") == 2
        assert service.end() == 0
