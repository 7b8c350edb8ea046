"""A receiver of webhooks: notes what comes, verifies it, and answers as it is told to."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from standardwebhooks import Webhook, WebhookVerificationError

SOON = 600.0  # seconds: more than anything here takes


@dataclass
class Message:
    """What has come: the path, the headers, the payload, and what it was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict:
        return orjson.loads(self.body)

    @property
    def task(self) -> str | None:
        return self.payload["data"].get("taskId")

    def is_signed_by(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """All that has come, and what is answered: 204, or by task or path something else."""

    url: str
    messages: list[Message] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 204))
    headers: dict[str, str] = field(default_factory=dict)
    came: threading.Event = field(default_factory=threading.Event)  # set by the first message

    held: str = ""  # the path that is not answered until it is released
    released: threading.Event = field(default_factory=threading.Event)

    def hold(self, path: str) -> None:
        """Answer nothing that comes at a path."""
        self.held = path

    def release(self) -> None:
        """Answer all that waits."""
        self.released.set()

    def wait_for(self, happens: Callable[[], bool]) -> None:
        """Wait until it happens."""
        deadline = time.monotonic() + SOON
        while not happens():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kinds(self) -> list[str]:
        return [message.payload["type"] for message in self.messages]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == receiver.held:
                receiver.released.wait(SOON)
            with lock:
                task = orjson.loads(body)["data"].get("taskId")
                status = receiver.answers.get(task) or receiver.answers[self.path]
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.messages.append(Message(self.path, headers, body, status))
                receiver.came.set()
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
