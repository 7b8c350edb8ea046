import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api import clock
from graphql_api.ids import new_id

OFFSETS = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.datetimes(timezones=st.just(UTC))
MILLISECOND = timedelta(milliseconds=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# Instants


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00.000Z"),
        ("2026-11-22t09:30:00z", "2026-11-22T09:30:00.000Z"),
        ("2026-11-22T09:30:00+00:00", "2026-11-22T09:30:00.000Z"),
        ("2026-11-22T09:30:00-00:00", "2026-11-22T09:30:00.000Z"),
        ("2026-11-22T09:30:00+05:30", "2026-11-22T04:00:00.000Z"),
        ("2026-11-22T09:30:00-08:00", "2026-11-22T17:30:00.000Z"),
        ("2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00.000Z"),
        ("2026-12-31T23:59:59-12:00", "2027-01-01T11:59:59.000Z"),
        ("2026-11-22T09:30:00+23:59", "2026-11-21T09:31:00.000Z"),
        ("2026-11-22T09:30:00.5Z", "2026-11-22T09:30:00.500Z"),
        ("2026-11-22T09:30:00.25Z", "2026-11-22T09:30:00.250Z"),
        ("2026-11-22T09:30:00.125Z", "2026-11-22T09:30:00.125Z"),
        ("2026-11-22T09:30:00.1239Z", "2026-11-22T09:30:00.123Z"),
        ("2026-11-22T09:30:00.999999Z", "2026-11-22T09:30:00.999Z"),
        ("2026-11-22T09:30:00.999999999999Z", "2026-11-22T09:30:00.999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_rfc_3339_text_is_an_instant_in_utc_to_the_millisecond(text, shown):
    instant = clock.parse(text)

    assert instant.tzinfo is UTC
    assert instant.microsecond % 1_000 == 0
    assert clock.text(instant) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-11-22",
        "09:30:00Z",
        "1795253400",
        # without an offset, or with another kind of one
        "2026-11-22T09:30:00",
        "2026-11-22T09:30:00 UTC",
        "2026-11-22T09:30:00+01",
        "2026-11-22T09:30:00+0100",
        "2026-11-22T09:30:00+01:00:00",
        "2026-11-22T09:30:00+1:00",
        "2026-11-22T09:30:00ZZ",
        # other forms of ISO 8601
        "2026-11-22 09:30:00Z",
        "2026-11-22T09:30Z",
        "20261122T093000Z",
        "2026-W47-7T09:30:00Z",
        "2026-326T09:30:00Z",
        "2026-11-22T09:30:00,5Z",
        "2026-11-22T09:30:00.Z",
        "+2026-11-22T09:30:00Z",
        "-2026-11-22T09:30:00Z",
        "12026-11-22T09:30:00Z",
        "26-11-22T09:30:00Z",
        "2026-1-2T09:30:00Z",
        # more than the text
        " 2026-11-22T09:30:00Z",
        "2026-11-22T09:30:00Z ",
        "2026-11-22T09:30:00Z\n",
        "2026-11-22T09:30:00Z\0",
        # digits and a sign of other scripts
        "\u0662\u0660\u0662\u0666-11-22T09:30:00Z",
        "2026-11-22T09:30:0\uff10Z",
        "2026-11-22T09:30:00\u221201:00",
    ],
    ids=repr,
)
def test_a_text_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"^Use RFC 3339 with an offset, for example 2026-"):
        clock.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-12-31T23:59:60Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00-99:99",
        "2026-01-01T00:00:00+12:60",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_date_or_time_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match=r"^This date or time does not exist\.$"):
        clock.parse(text)


@settings(deadline=None)
@given(INSTANTS)
def test_an_instant_comes_back_from_its_text(instant):
    assert clock.parse(clock.text(instant)) == clock.milliseconds(instant)


@given(
    INSTANTS | INSTANTS.map(clock.milliseconds) | INSTANTS.map(lambda i: i.replace(microsecond=0))
)
def test_the_text_of_an_instant_is_what_python_calls_iso_format(instant):
    class Other(datetime):
        """Such as libraries make that stop the clock for a test."""

    shown = instant.isoformat(timespec="milliseconds")[:23] + "Z"
    assert clock.text(instant) == shown
    assert clock.text(Other.combine(instant, instant.timetz())) == shown


@settings(deadline=None)
@given(
    st.datetimes(
        min_value=datetime(1, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(9999, 12, 29),  # noqa: DTZ001
        timezones=OFFSETS,
    )
)
def test_every_offset_is_understood(instant):
    parsed = clock.parse(instant.isoformat())

    assert parsed.tzinfo is UTC
    assert timedelta(0) <= instant - parsed < MILLISECOND
    assert clock.text(instant) == clock.text(parsed)


@settings(deadline=None)
@given(INSTANTS, INSTANTS | st.timedeltas(-MILLISECOND, MILLISECOND))
def test_the_order_of_texts_is_the_order_in_time(one, other):
    if isinstance(other, timedelta):
        try:
            other = one + other
        except OverflowError:
            other = one
    earlier, later = sorted([one, other])

    assert clock.text(earlier) <= clock.text(later)
    assert (clock.text(earlier) == clock.text(later)) == (
        clock.milliseconds(earlier) == clock.milliseconds(later)
    )


@settings(deadline=None)
@given(INSTANTS)
def test_milliseconds_cut_off_what_is_finer_and_nothing_else(instant):
    cut = clock.milliseconds(instant)

    assert timedelta(0) <= instant - cut < MILLISECOND
    assert cut.microsecond % 1_000 == 0
    assert clock.milliseconds(cut) == cut


def test_now_is_now_in_utc():
    before = datetime.now(UTC)
    now = clock.now()
    after = datetime.now(UTC)

    assert before <= now <= after
    assert now.tzinfo is UTC


# Identifiers

LIFETIME = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2400, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@settings(deadline=None)
@given(LIFETIME)
def test_an_id_is_a_uuid_of_version_7_that_says_when_it_was_made(now):
    text = new_id(now)
    read = uuid.UUID(text)

    assert str(read) == text
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == (now - EPOCH) // MILLISECOND


@settings(deadline=None)
@given(LIFETIME, st.timedeltas(MICROSECOND, 2 * MILLISECOND) | st.timedeltas(MICROSECOND))
def test_an_id_made_at_least_a_microsecond_later_sorts_later(now, later):
    try:
        then = min(now + later, datetime(2400, 1, 2, tzinfo=UTC))
    except OverflowError:
        then = datetime(2400, 1, 2, tzinfo=UTC)

    assert new_id(now) < new_id(then)


@pytest.mark.parametrize("second", [0, 59])
def test_all_microseconds_of_two_milliseconds_give_ids_in_their_order(second):
    start = datetime(2026, 11, 22, 9, 30, second, 998_000, tzinfo=UTC)

    ids = [new_id(start + n * MICROSECOND) for n in range(2_001)]

    assert ids == sorted(ids)
    assert len({text[:18] for text in ids}) == 2_001  # in the part that is no chance


@pytest.mark.parametrize(
    ("microsecond", "head"),
    [
        (123_000, "01a20297-4e3b-7000"),
        (123_001, "01a20297-4e3b-7004"),
        (123_500, "01a20297-4e3b-7800"),
        (123_999, "01a20297-4e3b-7ffb"),
        (124_000, "01a20297-4e3c-7000"),
    ],
)
def test_an_id_begins_with_milliseconds_and_4096ths_of_one(microsecond, head):
    assert new_id(datetime(2026, 11, 22, 9, 30, 0, microsecond, tzinfo=UTC))[:18] == head


def test_the_offset_of_the_instant_does_not_matter_to_the_order():
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

    elsewhere = now.astimezone(timezone(timedelta(hours=-11)))

    assert new_id(now)[:18] == new_id(elsewhere)[:18]


def test_ids_of_one_instant_differ():
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

    assert len({new_id(now) for _ in range(10_000)}) == 10_000
