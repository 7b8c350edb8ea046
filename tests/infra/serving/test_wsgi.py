"""A request of granian's, as WSGI has it, and the answer to it."""

from types import SimpleNamespace

import pytest

from graphql_api.infra.serving import wsgi


class Headers:
    """Headers as granian has them: their names are lower case, and may be there twice."""

    def __init__(self, *pairs):
        self._pairs = pairs

    def __iter__(self):
        return iter(dict(self._pairs))

    def __len__(self):
        return len(dict(self._pairs))

    def items(self):
        return [(name, value) for name, value in self._pairs if value.isascii()]


def environ(*headers, body=b"", **given):
    usual = {
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": "",
        "server": "127.0.0.1:5000",
        "client": "10.0.0.1:1234",
        "headers": Headers(*headers),
    }
    return wsgi.build_environ(SimpleNamespace(**usual | given), body, str(len(body)))


def test_what_pep_3333_asks_for_is_there():
    found = environ(body=b"hello", query_string="a=%20b", method="PUT")

    assert found.pop("wsgi.input").read() == b"hello"
    assert found.pop("wsgi.errors")
    assert found == {
        "REQUEST_METHOD": "PUT",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/graphql",
        "QUERY_STRING": "a=%20b",
        "CONTENT_LENGTH": "5",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def test_addresses_of_ipv6_have_no_brackets():
    found = environ(server="[::1]:5000", client="[2001:db8::7]:1234")

    assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("::1", "5000")
    assert found["REMOTE_ADDR"] == "2001:db8::7"


def test_the_zone_of_an_address_is_left_out():
    assert environ(client="[fe80::1%2]:1234")["REMOTE_ADDR"] == "fe80::1"


def test_a_path_and_a_query_beyond_ascii_are_the_bytes_of_their_utf_8():
    found = environ(path="/ä", query_string="a=ä€")

    assert found["PATH_INFO"] == "/Ã¤"
    assert found["QUERY_STRING"].encode("latin-1") == "a=ä€".encode()


def test_headers_have_the_names_of_cgi():
    found = environ(("content-type", "text/plain"), ("x-request-id", "1"), ("accept", "*/*"))

    assert found["CONTENT_TYPE"] == "text/plain"
    assert found["HTTP_X_REQUEST_ID"] == "1"
    assert found["HTTP_ACCEPT"] == "*/*"
    assert "HTTP_CONTENT_TYPE" not in found


def test_a_header_that_is_there_twice_is_a_list():
    found = environ(("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2"))

    assert found["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"


def test_a_header_that_is_no_text_is_there_and_empty():
    found = environ(("content-encoding", "gz\xe9"), ("accept", "*/*"), ("x_y", "\xe9"))

    assert found["HTTP_CONTENT_ENCODING"] == ""
    assert found["HTTP_ACCEPT"] == "*/*"
    assert "HTTP_X_Y" not in found


def test_a_header_cannot_pass_for_another_one():
    found = environ(("x_forwarded_for", "6.6.6.6"), ("content_length", "9"), body=b"{}")

    assert "HTTP_X_FORWARDED_FOR" not in found
    assert found["CONTENT_LENGTH"] == "2"


def test_the_length_is_that_of_the_body_and_its_encoding_on_the_way_is_over():
    found = environ(("transfer-encoding", "chunked"), ("content-length", "9"), body=b"{}")

    assert found["CONTENT_LENGTH"] == "2"
    assert "HTTP_TRANSFER_ENCODING" not in found


def test_names_that_clients_make_up_are_not_all_remembered():
    for number in range(1000):
        assert environ((f"x-{number}", "y"))[f"HTTP_X_{number}"] == "y"
    assert wsgi._variable.cache_info().currsize == 200


@pytest.mark.parametrize(
    ("parts", "body"),
    [([b"ab"], b"ab"), ([b"a", b"b"], b"ab"), ([], b""), ((b"a", b"b"), b"ab")],
)
def test_an_answer_is_given_as_a_whole(parts, body):
    def app(_, start_response):
        start_response("201 Created", [("A", "b")])
        return parts

    assert wsgi.run_app(app, {}) == (201, [("A", "b")], body)


def test_a_crash_is_not_hidden():
    def app(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wsgi.run_app(app, {})
