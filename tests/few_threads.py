"""A server of eight waiting threads, which give a body a second: `python few_threads.py PORT`.

It answers with the body, /later after four seconds.
"""

import sys
import time

from granian import Granian
from granian.constants import Interfaces

from graphql_api import slow_bodies
from graphql_api.gate import Gate
from graphql_api.slow_bodies import SlowBodies

THREADS = 8

slow_bodies.SECONDS = 1.0
slow_bodies.LOOK_SECONDS = 0.2
slow_bodies.MARGIN = 0.5


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/later":
        time.sleep(4)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def load():
    gate = Gate(app, 4)
    SlowBodies(int(sys.argv[1]), gate.arrivals, THREADS).watch()
    return gate


if __name__ == "__main__":
    Granian(
        "few_threads",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        backpressure=64,
    ).serve(target_loader=load, wrap_loader=False)
