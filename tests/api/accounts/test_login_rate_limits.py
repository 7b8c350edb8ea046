"""Guessing is expensive: attempts are counted by all processes together."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import LOGIN, PASSWORD, REGISTER, Api, codes
from engines import CONFIG
from passwords import hashing
from whole_tables import scanned

from graphql_api import clock, create_app
from graphql_api.domain.accounts import rate_limits, service
from graphql_api.domain.accounts.passwords import Passwords
from graphql_api.domain.accounts.rate_limits import BY_NAME, RateLimit, RateLimiter
from graphql_api.errors import RateLimited, ServiceUnavailable

CHANGE = """
  mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { token } }
"""


@pytest.fixture(autouse=True)
def _within_a_window(monkeypatch):
    """Count all that a test does in the window in which it begins, however long it takes."""
    window, began = rate_limits._window, clock.now()
    monkeypatch.setattr(rate_limits, "_window", lambda limit, now: window(limit, min(now, began)))


@pytest.fixture
def elsewhere(engine) -> Api:
    """Another process on the same store."""
    return Api(create_app(engine).test_client())


def log_in(api, username, password, address="10.0.0.1"):
    account = {"username": username, "password": password}
    return api.client.post("/auth/login", json=account, environ_base={"REMOTE_ADDR": address})


def statuses(api, username, times, **options):
    return [log_in(api, username, "wrong password", **options).status_code for _ in range(times)]


def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(ann, elsewhere):
    here = statuses(ann.api, ann.username, 5)
    there = statuses(elsewhere, ann.username, 5)  # all processes count together
    answer = log_in(ann.api, ann.username, PASSWORD)
    graphql = ann.api.graphql(LOGIN, input={"username": ann.username, "password": "wrong one"})

    assert here + there == [401] * 10
    assert (answer.status_code, answer.json["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 15 * 60
    assert answer.json["retry_after"] == int(answer.headers["Retry-After"])
    assert codes(graphql) == ["RATE_LIMITED"]


def test_the_owner_gets_in_from_where_a_session_of_hers_is(ann):
    log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7")
    statuses(ann.api, ann.username, 12, address="10.6.6.6")

    attacker = log_in(ann.api, ann.username, PASSWORD, address="10.6.6.6")
    owner = log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7")

    assert attacker.status_code == 429
    assert owner.status_code == 200


def test_the_owner_gets_in_however_many_wrong_passwords_come_from_elsewhere(app, ann):
    log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7")
    limiter = RateLimiter(app.extensions["database"], CONFIG.jwt_secret)
    for _ in range(100):
        limiter.hit(BY_NAME, ann.username, clock.now())

    assert log_in(ann.api, ann.username, PASSWORD, address="10.6.6.6").status_code == 429
    assert log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7").status_code == 200


def test_guessing_from_where_a_session_is_ends_too(ann):
    log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7")

    wrong = statuses(ann.api, ann.username, 28, address="10.0.0.7")
    right = [
        log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7").status_code for _ in range(2)
    ]

    assert wrong == [401] * 9 + [429] * 19  # with the login before, 10 and 19
    assert right == [200, 429]  # the twentieth beyond the ten, and one more


def test_a_login_from_where_a_session_is_gives_nobody_more_attempts(ann):
    log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7")
    statuses(ann.api, ann.username, 12, address="10.6.6.6")

    assert log_in(ann.api, ann.username, PASSWORD, address="10.0.0.7").status_code == 200
    assert statuses(ann.api, ann.username, 2, address="10.6.6.6") == [429, 429]


def guesses(api, entry, username, times):
    """The answers to wrong passwords, from the address at which the tests register."""
    account = {"username": username, "password": "not the password"}
    if entry == "graphql":
        answers = [api.post(LOGIN, input=account) for _ in range(times)]
    else:
        answers = [api.rest("POST", "/auth/login", json=account) for _ in range(times)]
    return [re.sub(rb"retry_?[aA]fter\":\d+", b"", answer.data) for answer in answers]


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_names_answer_alike_whether_or_not_somebody_with_a_session_here_has_them(
    api, ann, calls, entry
):
    assert ann.graphql("{ viewer { sessions { id } } }")["data"]["viewer"]["sessions"]
    calls.clear()

    known = guesses(api, entry, ann.username, 14)
    known_calls = calls.copy()
    calls.clear()
    unknown = guesses(api, entry, f"{entry}-nobody-has-this", 14)

    assert known == unknown
    assert [b"RATE_LIMITED" in answer for answer in known] == [False] * 10 + [True] * 4
    within = ["UpdateItem", "UpdateItem", "GetItem", "GetItem"]
    beyond = [*within, "UpdateItem", "Query"]
    assert known_calls == calls == within * 10 + beyond * 4


def test_beyond_the_limit_a_password_is_verified_whether_or_not_the_name_exists(
    api, ann, monkeypatch
):
    hashes = []
    verify = Passwords.verify
    monkeypatch.setattr(
        Passwords, "verify", lambda *given: hashes.append(given[1]) or verify(*given)
    )

    guesses(api, "rest", ann.username, 12)
    known, hashes[:] = hashes.copy(), []
    guesses(api, "rest", "nobody-to-verify", 12)

    assert [hashed is None for hashed in known] == [False] * 12
    assert hashes == [None] * 12


def test_a_name_that_nobody_has_counts_as_others_do(api):
    assert statuses(api, "nobody-of-this-name", 12) == [401] * 10 + [429] * 2
    assert statuses(api, "#!", 12) == [401] * 10 + [429] * 2


def test_spelling_a_name_otherwise_does_not_help(ann):
    name = ann.username
    for spelling in (name.upper(), f" {name} ", name.title()) * 4:
        log_in(ann.api, spelling, "wrong password")

    assert log_in(ann.api, name, PASSWORD).status_code == 429


def test_the_right_password_forgets_the_wrong_ones(ann):
    for _ in range(3):
        assert statuses(ann.api, ann.username, 8) == [401] * 8
        assert log_in(ann.api, ann.username, PASSWORD).status_code == 200


def test_guessing_the_current_password_counts_too(ann):
    guess = {"currentPassword": "wrong password", "newPassword": "another good one"}

    answers = [codes(ann.graphql(CHANGE, input=guess)) for _ in range(11)]

    assert answers == [["BAD_USER_INPUT"]] * 10 + [["RATE_LIMITED"]]


def test_guesses_of_strangers_do_not_keep_the_owner_from_changing_the_password(ann):
    statuses(ann.api, ann.username, 12, address="10.6.6.6")
    change = {"currentPassword": PASSWORD, "newPassword": "another good one"}

    assert "errors" not in ann.graphql(CHANGE, input=change)


def test_many_names_from_one_address_are_too_many(api, monkeypatch):
    monkeypatch.setattr(service, "LOGINS_BY_ADDRESS", RateLimit("logins-test", 3, 900))

    answers = [log_in(api, f"name-{n}", "wrong password").status_code for n in range(5)]

    assert answers == [401] * 3 + [429] * 2
    assert log_in(api, "name", "wrong password", address="10.0.0.2").status_code == 401


def test_many_accounts_from_one_address_are_too_many(api, monkeypatch):
    monkeypatch.setattr(service, "ACCOUNTS_BY_ADDRESS", RateLimit("accounts-test", 2, 900))

    answers = [
        api.graphql(REGISTER, input={"username": f"many-{n}", "password": PASSWORD})
        for n in range(3)
    ]

    assert ["errors" in answer for answer in answers] == [False, False, True]
    [error] = answers[2]["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfter"] >= 1


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 401)])
def test_a_forwarded_address_counts_only_behind_trusted_proxies(
    engine, monkeypatch, proxies, status
):
    monkeypatch.setattr(service, "LOGINS_BY_ADDRESS", RateLimit(f"forwarded-{proxies}", 3, 900))
    api = Api(create_app(replace(engine, trusted_proxies=proxies)).test_client())

    for number in range(4):
        answer = api.rest(
            "POST",
            "/auth/login",
            json={"username": f"n-{number}", "password": "wrong password"},
            headers={"X-Forwarded-For": f"10.1.1.{number}"},
        )

    assert answer.status_code == status


def test_the_table_tells_neither_names_nor_addresses(app, ann):
    statuses(ann.api, "a-telling-name", 2, address="10.9.8.7")

    counted = [
        item
        for item in scanned(app.extensions["database"].client, "Users")
        if item["user_id"]["S"].startswith("rate#")
    ]

    assert counted
    assert "a-telling-name" not in str(counted)
    assert "10.9.8.7" not in str(counted)
    assert all(int(item["expires_at"]["N"]) > 0 for item in counted)


def test_a_new_window_begins_at_nought(app):
    limiter = RateLimiter(app.extensions["database"], CONFIG.jwt_secret)
    limit = RateLimit("window-test", 1, 60)
    now = datetime(2026, 1, 1, 12, 0, 50, tzinfo=UTC)

    limiter.check(limit, limiter.hit(limit, "x", now), now)
    with pytest.raises(RateLimited) as refused:
        limiter.check(limit, limiter.hit(limit, "x", now), now)

    assert refused.value.details == {"retry_after": 10}
    later = now + timedelta(seconds=10)
    assert limiter.hit(limit, "x", later) == 1


def test_beyond_the_places_for_hashing_no_thread_waits():
    passwords = hashing(slots=1)

    with passwords.slot(), pytest.raises(ServiceUnavailable), passwords.slot():
        pass

    with passwords.slot():
        assert passwords.verify(passwords.hash("x"), "x")
