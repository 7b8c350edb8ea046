"""The networks of clients, the passwords that can be set, the exchanges of refresh tokens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from graphql_api.domain.accounts import common_passwords
from graphql_api.domain.accounts.model import MAX_EXCHANGES, Client, Session, User, new_password
from graphql_api.errors import BadUserInput


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),  # IPv4, as a socket for both shows it
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_attempts_are_counted_by_the_network_that_one_customer_has(address, network):
    assert Client("", address).network == network


def test_the_common_passwords_are_those_of_zxcvbn_that_are_long_enough():
    expected = {word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8}

    assert common_passwords.passwords() == expected
    assert len(expected) == 11_611
    assert {"password", "password1", "qwertyuiop"} <= expected


@pytest.mark.parametrize("text", ["correct horse", "x" * 103 + "y", "a" * 104, "sam gamgee 2"])
def test_other_passwords_are_fit(text):
    assert new_password(text, "Sam Gamgee") == text


@pytest.mark.parametrize(
    "text", ["\N{LATIN SMALL LETTER LONG S}am gamgee", "SAM\N{EM SPACE}GAMGEE"]
)
def test_the_username_is_no_password_however_it_is_written(text):
    with pytest.raises(BadUserInput, match="not be the username"):
        new_password(text, "Sam Gamgee")


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def session_after(pauses) -> tuple[Session, list[datetime]]:
    """A session whose tokens 0, 1, … were exchanged after these seconds each, and when."""
    user = User.new(username="ann", password="x", now=NOW)
    session = Session.new(user, session_id="s", device="", address="", refresh_hash="0", now=NOW)
    times: list[datetime] = []
    for number, pause in enumerate(pauses, 1):
        times.append((times[-1] if times else NOW) + timedelta(seconds=pause))
        session = replace(session, **session.refreshed(str(number), times[-1]))
    return session, times


@given(st.lists(st.integers(0, 12), max_size=MAX_EXCHANGES), st.integers(0, 30))
def test_a_spent_token_leads_to_the_current_one_for_ten_seconds_after_its_exchange(pauses, wait):
    session, times = session_after(pauses)
    now = (times[-1] if times else NOW) + timedelta(seconds=wait)

    found = [session.exchanges_since(str(number), now) for number in range(len(times))]

    assert found == [
        len(times) - number if now - exchanged <= timedelta(seconds=10) else None
        for number, exchanged in enumerate(times)
    ]
    assert session.exchanges_since(session.refresh_hash, now) is None
    assert session.exchanges_since("never one of its tokens", now) is None


def test_a_session_remembers_a_bounded_number_of_exchanges():
    session, times = session_after([0] * 50)

    assert len(session.earlier_exchanges) == MAX_EXCHANGES
    found = [session.exchanges_since(str(number), times[-1]) for number in range(50)]
    assert found == [None] * (49 - MAX_EXCHANGES) + list(range(MAX_EXCHANGES + 1, 0, -1))


def test_a_session_keeps_no_exchange_that_is_over():
    session, _ = session_after([0, 0, 0, 11])

    assert session.earlier_exchanges == ()
