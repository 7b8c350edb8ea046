import unicodedata

import pytest
from conftest import LOGIN, codes
from hypothesis import given, settings
from hypothesis import strategies as st
from passwords import hashing
from werkzeug.security import generate_password_hash

from graphql_api.domain.accounts import legacy_hashes

pytestmark = [pytest.mark.thorough, pytest.mark.engine_is_no_matter]

METHODS = ["scrypt:128:8:1", "pbkdf2:sha256:1000", "pbkdf2:sha1:1000", "pbkdf2:sha512:10"]
PASSWORDS = hashing()


@pytest.mark.parametrize("method", METHODS)
def test_a_hash_of_werkzeugs_is_checked(method):
    hashed = generate_password_hash("old", method)

    assert PASSWORDS.verify(hashed, "old")
    assert not PASSWORDS.verify(hashed, "new")
    assert PASSWORDS.needs_rehash(hashed)


@pytest.mark.parametrize("method", ["scrypt:32768:8:1", "pbkdf2:sha256:1000000"])
def test_what_werkzeug_writes_by_default_is_supported(method):
    digits = {"scrypt": 128, "pbkdf2": 64}[method.partition(":")[0]]

    assert legacy_hashes.is_supported(f"{method}$pepperpepperpep1${'0a' * (digits // 2)}")


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "plain$$old",
        "sha256$salt$" + "0" * 64,  # which werkzeug itself no longer checks
        "md5$salt$" + "0" * 32,
        "pbkdf2:md5:1000$salt$" + "0" * 32,
        "pbkdf2:sha256$salt$" + "0" * 64,
        "pbkdf2:sha256:0$salt$" + "0" * 64,
        "pbkdf2:sha256:-1$salt$" + "0" * 64,
        "pbkdf2:sha256:2000001$salt$" + "0" * 64,  # more work than any version has asked for
        "pbkdf2:sha256:1000$salt$" + "0" * 63,
        "pbkdf2:sha256:1000$salt$" + "0" * 64 + "\n",
        "pbkdf2:sha256:1000$$" + "0" * 64,
        "pbkdf2:sha256:1000$salt$$" + "0" * 63,
        "scrypt$salt$" + "0" * 128,
        "scrypt:0:8:1$salt$" + "0" * 128,
        "scrypt:32767:8:1$salt$" + "0" * 128,  # no power of two
        "scrypt:32768:8:0$salt$" + "0" * 128,
        "scrypt:65536:1:1$salt$" + "0" * 128,  # which OpenSSL refuses
        "scrypt:1048576:8:1$salt$" + "0" * 128,  # a gibibyte
        "scrypt:32768:8:1$salt$" + "0" * 64,
    ],
)
def test_any_other_text_is_no_hash_and_nobodys_password(hashed):
    assert not legacy_hashes.is_supported(hashed)
    assert not PASSWORDS.verify(hashed, "old")


@settings(deadline=None)
@given(st.sampled_from([2**power for power in range(9)]), st.integers(0, 20), st.integers(0, 4))
def test_whatever_is_supported_can_be_checked(n, r, p):
    hashed = f"scrypt:{n}:{r}:{p}$salt${'0' * 128}"

    if legacy_hashes.is_supported(hashed):
        assert PASSWORDS.verify(hashed, "x") is False


def test_our_own_hashes_are_not_taken_for_old_ones():
    assert not legacy_hashes.is_supported(PASSWORDS.hash("x"))


def kept(app, person):
    item = app.extensions["database"].table("Users").get(user_id=person.id, item="profile")
    return item["password"]["S"]


def keep(app, person, hashed):
    database = app.extensions["database"]
    item = database.table("Users").get(user_id=person.id, item="profile")
    database.client.put_item(TableName="Users", Item={**item, "password": {"S": hashed}})


def log_in(api, person, password):
    return api.graphql(LOGIN, input={"username": person.username, "password": password})


@pytest.mark.parametrize("method", METHODS)
def test_an_old_password_is_good_and_kept_as_argon2_from_its_first_login_on(app, api, ann, method):
    keep(app, ann, generate_password_hash("old", method))

    assert codes(log_in(api, ann, "new")) == ["UNAUTHENTICATED"]
    assert not kept(app, ann).startswith("$argon2id$")
    for _ in range(2):
        assert log_in(api, ann, "old")["data"]["login"]["user"]["id"] == ann.id
        assert kept(app, ann).startswith("$argon2id$")
    assert codes(log_in(api, ann, "new")) == ["UNAUTHENTICATED"]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_old_password_was_hashed_as_it_was_typed(app, api, ann, form):
    typed = unicodedata.normalize(form, "Älteres Paßwort é")
    keep(app, ann, generate_password_hash(typed, METHODS[0]))

    assert "data" in log_in(api, ann, typed)

    for again in ("NFC", "NFD"):
        answer = log_in(api, ann, unicodedata.normalize(again, typed))
        assert answer["data"]["login"]["user"]["id"] == ann.id


@pytest.mark.engine_is_no_matter
def test_a_wrong_old_password_gets_the_bytes_that_an_unknown_name_gets(app, api, ann):
    keep(app, ann, generate_password_hash("old", METHODS[0]))

    unknown = {"username": f"not-{ann.username}", "password": "wrong"}
    answer = api.post(LOGIN, input=unknown)

    assert api.post(LOGIN, input={**unknown, "username": ann.username}).data == answer.data
