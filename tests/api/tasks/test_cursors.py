import base64
import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.paging import Window
from graphql_api.errors import BadUserInput

OLD = b"the secret of last year, 32 bytes and more"
NEW = b"the secret of this year, 32 bytes and more"
CURSORS = Cursors([NEW])
SEALED = CURSORS.seal("d2026-11-22T09:30:00.000Z#0195", "ann")

TEXTS = st.text(max_size=40)
URL_SAFE = set(string.ascii_letters + string.digits + "-_")


def opened(cursor: str, scope: str = "ann", cursors: Cursors = CURSORS) -> str | None:
    """The position of the cursor; None if it is refused."""
    try:
        return cursors.open(cursor, scope, "after")
    except BadUserInput:
        return None


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_cursor_opens_to_the_position_that_it_was_made_of(position, scope):
    cursor = CURSORS.seal(position, scope)

    assert set(cursor) <= URL_SAFE
    assert opened(cursor, scope) == position


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_a_cursor_is_good_for_its_own_list_only(position, scope, other):
    assume(scope != other)

    assert opened(CURSORS.seal(position, scope), other) is None


@pytest.mark.parametrize(
    ("scope", "position", "other"),
    [("ann", "\0c", "ann\0"), ("ann\0", "c", "ann"), ("", "ann\0c", "ann"), ("a", "nn", "an")],
)
def test_what_separates_list_and_position_cannot_be_moved(scope, position, other):
    assert opened(CURSORS.seal(position, scope), other) is None


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_cursor_of_another_key_is_refused(position, scope):
    assert opened(Cursors([OLD]).seal(position, scope), scope) is None


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_cursor_of_the_previous_secret_still_opens_and_none_is_made(position, scope):
    rotated = Cursors([NEW, OLD])

    assert opened(Cursors([OLD]).seal(position, scope), scope, rotated) == position
    assert rotated.seal(position, scope) == CURSORS.seal(position, scope)


def test_the_secret_itself_is_not_the_key_of_cursors():
    assert Cursors([NEW]).seal("p", "s") != Cursors([OLD]).seal("p", "s")
    assert NEW not in CURSORS._keys


@settings(deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.characters(codec="utf-8"))
def test_a_changed_cursor_never_opens_to_another_position(index, character):
    forged = SEALED[:index] + character + SEALED[index + 1 :]

    assert opened(forged) in {None, opened(SEALED)}
    # Only a character of the same bits may still open it.
    assert opened(forged) is None or decoded(forged) == decoded(SEALED)


@settings(deadline=None)
@given(TEXTS.filter(bool))
def test_a_known_signature_does_not_carry_another_position(position):
    signature = base64.urlsafe_b64decode(CURSORS.seal("", "ann") + "==")
    forged = base64.urlsafe_b64encode(signature + position.encode()).decode().rstrip("=")

    assert opened(forged) is None


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_a_cut_off_cursor_is_refused(length):
    assert opened(SEALED[:length]) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        " ",
        "=",
        "====",
        "A",
        "AAAA",
        "A" * 22,
        "A" * 5000,
        "null",
        "0",
        "\0",
        "ä",
        "\ud800",
        "😀" * 10,
        "../../etc/passwd",
        base64.urlsafe_b64encode(b"\xff" * 40).decode(),
        base64.urlsafe_b64encode(b"0" * 16 + b"\xff\xfe").decode(),
        SEALED + SEALED,
        SEALED + "A",
        SEALED + "\n",
        SEALED + "\n\n\n\n",
        "    " + SEALED,
        " " + SEALED,
        SEALED.swapcase(),
        SEALED[::-1],
        SEALED + "\u200b",
    ],
    ids=ascii,
)
def test_any_other_text_is_refused_by_field(cursor):
    assert opened(cursor) is None


@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from(sorted(URL_SAFE)), max_size=200))
def test_whatever_text_a_client_makes_up_is_refused(cursor):
    assert opened(cursor) is None


@pytest.mark.parametrize("field", ["after", "before"])
def test_a_refusal_names_the_argument(field):
    with pytest.raises(BadUserInput) as caught:
        CURSORS.open("nonsense", "ann", field)

    assert caught.value.message == f"{field} is not a cursor of this list."
    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": field},
    )


def decoded(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


# Windows


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ({}, Window(25, None, backward=False)),
        ({"first": None, "after": None, "last": None, "before": None}, Window(25)),
        ({"first": 1}, Window(1)),
        ({"first": 100}, Window(100)),
        ({"after": "c"}, Window(25, "c")),
        ({"first": 3, "after": "c"}, Window(3, "c")),
        ({"after": ""}, Window(25, "")),
        ({"last": 1}, Window(1, None, backward=True)),
        ({"last": 100}, Window(100, None, backward=True)),
        ({"last": 3, "before": "c"}, Window(3, "c", backward=True)),
        # GraphQL always gives `first`: it has a default. `last` wins over it.
        ({"first": 25, "last": 3}, Window(3, None, backward=True)),
        ({"first": 7, "last": 3, "before": "c"}, Window(3, "c", backward=True)),
        ({"first": 0, "last": 3}, Window(3, None, backward=True)),
    ],
    ids=str,
)
def test_the_arguments_of_a_list_describe_a_window(arguments, window):
    assert Window.of(**arguments) == window


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [0, -1, 101, 2**31 - 1, -(2**31)])
def test_a_size_out_of_bounds_is_refused_by_field(name, size):
    with pytest.raises(BadUserInput) as caught:
        Window.of(**{name: size})

    assert caught.value.message == f"{name} must be from 1 to 100."
    assert (caught.value.code, caught.value.render().details) == ("BAD_USER_INPUT", {"field": name})


@pytest.mark.parametrize("first", [{}, {"first": 25}, {"first": None}], ids=str)
def test_before_goes_with_last(first):
    with pytest.raises(BadUserInput) as caught:
        Window.of(before="c", **first)

    assert caught.value.message == "before goes with last."
    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "before"},
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"after": "a", "before": "b"},
        {"after": "a", "last": 1},
        {"first": 1, "after": "a", "last": 1, "before": "b"},
        {"after": "", "before": ""},
        {"after": "a", "last": 0},
    ],
    ids=str,
)
def test_a_window_goes_one_way(arguments):
    with pytest.raises(BadUserInput) as caught:
        Window.of(**arguments)

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "after"},
    )
