"""Requests to hosts that users name: where they go, and how long they may take."""

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graphql_api.infra.outgoing import client as module
from graphql_api.infra.outgoing.client import Failed, OutgoingClient, Refused, TimedOut

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
IN_TIME = 600.0  # seconds, so that no busy machine makes a test fail
SHORT = 0.3  # where the end of the time is what is tested


@contextmanager
def listening(serve, context=None):
    """A server that gives its connections to a function, and the port it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        got = []

        def run():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    if context is None:
                        serve(connection, got)
                    else:
                        with context.wrap_socket(connection, server_side=True) as secure:
                            serve(secure, got)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1], got
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def request_of(connection):
    """The head and the body of a request."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(65_536)
        text += more
        if not more or text.startswith(b"\x16"):  # a handshake
            raise OSError("this is no request")
    head, _, body = text.partition(b"\r\n\r\n")
    [length] = [
        int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")
    ]
    while len(body) < length:
        body += connection.recv(65_536)
    return head, body


def answering(answer):
    def serve(connection, got):
        got.append(request_of(connection))
        connection.sendall(answer)

    return serve


def lenient(**options):
    return OutgoingClient(allow_private=True, **{"seconds": IN_TIME, **options})


def test_a_request_has_the_path_the_host_and_the_headers_and_its_answer_a_status():
    with listening(answering(OK)) as (port, got):
        url = f"http://127.0.0.1:{port}/hooks?a=b%20c"
        answer = lenient().post(url, b"{}", {"webhook-id": "1"})

    [(head, body)] = got
    assert (answer.status, body) == (204, b"{}")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /hooks?a=b%20c HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}".encode(), b"webhook-id: 1", b"Connection: close"} <= {*lines}


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120), ("Fri, 31 Dec 2027 23:59:59 GMT", None), ("x", None)]
)
def test_an_answer_tells_when_to_come_back_if_it_says_so_in_seconds(header, seconds):
    answer = f"HTTP/1.1 503 Busy\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    with listening(answering(answer)) as (port, _):
        assert lenient().post(f"http://127.0.0.1:{port}", b"", {}).retry_after == seconds


def test_a_redirect_is_an_answer_like_any_other():
    to = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
    with (
        listening(answering(OK)) as (elsewhere, visits),
        listening(answering(to % elsewhere)) as (port, _),
    ):
        assert lenient().post(f"http://127.0.0.1:{port}", b"", {}).status == 302

    assert visits == []


# Where requests go


@pytest.fixture
def name_server(monkeypatch):
    """Names of hosts that are not, with the addresses that they have at each look."""
    answers, real = {}, socket.getaddrinfo

    def resolve(host, port, *args, **options):
        if host[0].isdigit():
            return real(host, port, *args, **options)
        if host not in answers:
            raise socket.gaierror("no such host")
        found = answers[host].pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(module.socket, "getaddrinfo", resolve)
    return answers


@pytest.fixture
def connected(monkeypatch):
    """The addresses that are connected to, in the place of connecting."""
    addresses = []

    def connect(address, *_, **__):
        addresses.append(address)
        raise OSError("there is nobody")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    return addresses


def test_the_address_that_was_checked_is_connected_to_whatever_its_name_has_later(
    name_server, connected
):
    name_server["example.test"] = [["1.2.3.4"], ["127.0.0.1"]]

    with pytest.raises(Failed, match="no connection"):
        OutgoingClient().post("https://example.test/", b"", {})

    assert connected == [("1.2.3.4", 443)]
    assert name_server["example.test"] == [["127.0.0.1"]]  # which nobody has asked for


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["1.2.3.4", "10.0.0.1"], ["::ffff:7f00:1"]])
def test_a_name_with_an_address_that_is_not_public_is_not_connected_to(
    name_server, connected, addresses
):
    name_server["example.test"] = [addresses, addresses]

    with pytest.raises(Refused, match="private"):
        OutgoingClient().post("https://example.test/", b"", {})
    with pytest.raises(Refused, match="private"):
        OutgoingClient().check_host("https://example.test/", IN_TIME)

    assert connected == []


def test_a_name_that_has_no_address_yet_may_be_given_and_is_looked_up_when_it_is_asked(name_server):
    OutgoingClient().check_host("https://example.test/", IN_TIME)

    with pytest.raises(Failed, match="resolved"):
        OutgoingClient().post("https://example.test/", b"", {})
    assert name_server == {}


@pytest.mark.parametrize("url", ["http://1.2.3.4/", "https://user@1.2.3.4/", "file:///etc/passwd"])
def test_what_is_no_https_url_is_not_asked(connected, url):
    with pytest.raises(Refused):
        OutgoingClient().post(url, b"", {})

    assert connected == []


# How long they may take


def silent(connection, _):
    """Read for as long as the other side is there, and say nothing."""
    while connection.recv(65_536):
        pass


def test_a_receiver_that_never_answers_is_left():
    with listening(silent) as (port, _), pytest.raises(TimedOut, match="in time"):
        lenient(seconds=SHORT).post(f"http://127.0.0.1:{port}", b"", {})


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: "], ids=["status line", "a header"])
def test_a_receiver_that_answers_byte_by_byte_is_left_at_the_same_time(head):
    """Each byte comes in time, and the whole never."""
    left = threading.Event()

    def trickle(connection, _):
        connection.recv(65_536)
        connection.sendall(head)
        while not left.wait(0.01):
            connection.sendall(b"x")

    with listening(trickle) as (port, _):
        with pytest.raises(Failed):
            lenient(seconds=SHORT).post(f"http://127.0.0.1:{port}", b"", {})
        left.set()


def test_of_a_body_without_end_only_the_beginning_is_read():
    sent = []

    def pour(connection, _):
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent.append(connection.send(b"x" * 65_536))

    with listening(pour) as (port, _):
        answer = lenient().post(f"http://127.0.0.1:{port}", b"", {})

    assert answer.status == 200  # and the connection was closed, else `pour` would go on


def test_a_body_that_breaks_off_does_not_take_the_answer_back():
    def break_off(connection, _):
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")

    with listening(break_off) as (port, _):
        assert lenient().post(f"http://127.0.0.1:{port}", b"", {}).status == 200


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 xyz\r\n\r\n", b"\x15\x03\x01\x00\x02\x02"],
)
def test_what_is_no_http_is_no_valid_answer(answer):
    with (
        listening(answering(answer)) as (port, _),
        pytest.raises(Failed, match="no valid answer"),
    ):
        lenient().post(f"http://127.0.0.1:{port}", b"", {})


# TLS


@pytest.fixture(scope="module")
def authority():
    """A certificate authority, and a function that makes server contexts for a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)

    def signed(subject, public_key, extension, *, critical):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=critical)
            .sign(key, hashes.SHA256())
        )

    root = signed(
        name, key.public_key(), x509.BasicConstraints(ca=True, path_length=None), critical=True
    )

    def server(directory, host):
        own = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = signed(subject, own.public_key(), names, critical=False)
        file = directory / "server.pem"
        file.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    return root.public_bytes(serialization.Encoding.PEM).decode(), server


def test_a_certificate_is_checked_for_the_name_and_not_the_address(
    authority, tmp_path, name_server
):
    root, server = authority
    name_server["hooks.test"] = [["127.0.0.1"]]
    names = []
    context = server(tmp_path, "hooks.test")
    context.sni_callback = lambda _, name, __: names.append(name)
    trusted = ssl.create_default_context(cadata=root)

    with listening(answering(OK), context) as (port, got):
        client = lenient(context=trusted)
        assert client.post(f"https://hooks.test:{port}/", b"{}", {}).status == 204

    assert names == ["hooks.test"]
    assert f"Host: hooks.test:{port}".encode() in got[0][0].split(b"\r\n")


@pytest.mark.parametrize("problem", ["another name", "an unknown authority", "no TLS"])
def test_without_a_valid_certificate_nothing_is_sent(authority, tmp_path, name_server, problem):
    root, server = authority
    name_server["hooks.test"] = [["127.0.0.1"]]
    context = server(tmp_path, "other.test" if problem == "another name" else "hooks.test")
    trusted = ssl.create_default_context(cadata=None if problem == "an unknown authority" else root)

    with (
        listening(answering(OK), None if problem == "no TLS" else context) as (port, got),
        pytest.raises(Failed, match="no secure connection"),
    ):
        lenient(context=trusted).post(f"https://hooks.test:{port}/", b"{}", {})

    assert got == []


def test_a_handshake_that_never_ends_is_left(name_server):
    name_server["hooks.test"] = [["127.0.0.1"]]
    with listening(silent) as (port, _), pytest.raises(TimedOut):
        lenient(seconds=SHORT).post(f"https://hooks.test:{port}/", b"{}", {})


def test_addresses_of_names_are_looked_at_once_each(name_server):
    name_server["hooks.test"] = [["1.2.3.4", "1.2.3.4", "1.2.3.5"]]
    client = OutgoingClient()

    found = client._addresses(client.check("https://hooks.test/"), IN_TIME)

    assert found == [ip_address("1.2.3.4"), ip_address("1.2.3.5")]


def test_name_servers_that_do_not_answer_hold_some_threads_and_no_more(monkeypatch):
    asked, answered = [], threading.Event()

    def resolve(host, *_, **__):
        asked.append(host)
        answered.wait(IN_TIME)
        raise socket.gaierror("no such host")

    monkeypatch.setattr(module.socket, "getaddrinfo", resolve)
    client = OutgoingClient()

    for number in range(module.MAX_LOOKS + 5):
        client.check_host(f"https://{number}.test/", 0)
    assert len(asked) <= module.MAX_LOOKS
    answered.set()


def test_a_look_that_has_ended_leaves_its_place_to_another(name_server):
    client = OutgoingClient()

    for _ in range(2 * module.MAX_LOOKS):
        client.check_host("https://nobody.test/", IN_TIME)
    name_server["hooks.test"] = [["127.0.0.1"]]

    with pytest.raises(Refused):
        client.check_host("https://hooks.test/", IN_TIME)


def documents(*answers):
    """Serve GET requests, an answer each, and note their first lines."""
    left = list(answers)

    def serve(connection, got):
        text = b""
        while b"\r\n\r\n" not in text:
            more = connection.recv(65_536)
            if not more:
                raise OSError("this is no request")
            text += more
        got.append(text.split(b"\r\n")[0])
        connection.sendall(left.pop(0))

    return serve


def test_a_document_is_got_where_redirects_lead():
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b?c\r\nContent-Length: 0\r\n\r\n"
    found = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    with listening(documents(moved, found)) as (port, got):
        document = lenient().get(f"http://127.0.0.1:{port}/a", {}, 2)

    assert (document.status, document.body) == (200, b"hi")
    assert got == [b"GET /a HTTP/1.1", b"GET /b?c HTTP/1.1"]


def test_a_document_is_not_longer_than_it_may_be():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    with listening(documents(long)) as (port, _), pytest.raises(Failed, match="more than 2 bytes"):
        lenient().get(f"http://127.0.0.1:{port}/", {}, 2)


def test_redirects_come_to_an_end():
    moved = b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    with (
        listening(documents(*[moved] * 9)) as (port, got),
        pytest.raises(Failed, match="too many redirects"),
    ):
        lenient().get(f"http://127.0.0.1:{port}/", {}, 9)
    assert len(got) == 4


def test_a_redirect_is_checked_as_the_first_url_was(monkeypatch):
    client = lenient()
    moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
    for place in (b"file:///etc/passwd", b"ftp://x/", b"http://u:p@127.0.0.1/"):
        with listening(documents(moved % place)) as (port, _), pytest.raises(Refused):
            client.get(f"http://127.0.0.1:{port}/", {}, 9)

    strict = OutgoingClient(seconds=IN_TIME)
    monkeypatch.setattr(
        strict, "_get", lambda url, *_: strict.check(url) and "http://127.0.0.1/secret"
    )
    with pytest.raises(Refused, match="must begin with https"):
        strict.get("https://example.com/", {}, 9)
