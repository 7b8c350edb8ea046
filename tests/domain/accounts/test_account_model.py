"""Where requests come from, and which passwords are fit to be set. Pure."""

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from graphql_api.domain.accounts import common_passwords
from graphql_api.domain.accounts.model import Client, new_password
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
