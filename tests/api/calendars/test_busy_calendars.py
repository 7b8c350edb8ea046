"""Busy calendars: uploaded or of a URL, and what plans make of them."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import PASSWORD, codes

from graphql_api.domain.busy_calendars import duty, service
from graphql_api.domain.busy_calendars.duty import BusyCalendarDuty
from graphql_api.domain.busy_calendars.store import DUE, BusyCalendarStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.dynamodb import Key
from graphql_api.infra.outgoing.client import OutgoingClient

pytestmark = pytest.mark.core

FIELDS = "id name url allDay refreshedAt lastError times skipped"
ADD = f"""
  mutation ($input: AddBusyCalendarInput!) {{
    addBusyCalendar(input: $input) {{ busyCalendar {{ {FIELDS} }} }}
  }}
"""
LIST = f"{{ busyCalendars {{ {FIELDS} }} }}"
REMOVE = "mutation ($id: ID!) { removeBusyCalendar(input: {id: $id}) { removedCalendarId } }"
REFRESH = f"""
  mutation ($id: ID!) {{
    refreshBusyCalendar(input: {{id: $id}}) {{ busyCalendar {{ {FIELDS} }} }}
  }}
"""
TIMES = """
  query ($from: DateTime!, $to: DateTime!) {
    busyTimes(from: $from, to: $to) { calendarId start end }
  }
"""
TIMES_OF_ONE = """
  query ($from: DateTime!, $to: DateTime!, $id: ID) {
    busyTimes(from: $from, to: $to, calendarId: $id) { start }
  }
"""
PREVIEW = """
  query ($from: DateTime!) {
    planPreview(input: {from: $from, horizonDays: 7}) { inputHash blocks { title start } }
  }
"""
PATH = "/api/v1/busy-calendars"
NOW = datetime.now(UTC)
MONDAY = (NOW + timedelta(7 - NOW.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)


def ics(*hours: int, day: datetime = MONDAY) -> str:
    """A calendar of an event of an hour at each of these hours."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{hour}\r\nDTSTART:{day:%Y%m%d}T{hour:02}0000Z\r\n"
        "DURATION:PT1H\r\nEND:VEVENT\r\n"
        for hour in hours
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"


def add(person, **options):
    return person.graphql(ADD, input={"name": "Work", **options})


def added(answer) -> dict:
    return answer["data"]["addBusyCalendar"]["busyCalendar"]


def listed(person) -> list[dict]:
    return person.graphql(LIST)["data"]["busyCalendars"]


def moment(hour: int) -> str:
    """An hour of Monday."""
    return MONDAY.replace(hour=hour).isoformat(timespec="milliseconds").replace("+00:00", "Z")


MONDAYS_DAY = {"from": moment(0), "to": moment(23)}


def start(person) -> str:
    """When the plan has its first block."""
    plan = person.graphql(PREVIEW, **{"from": MONDAY.isoformat().replace("+00:00", "Z")})
    return plan["data"]["planPreview"]["blocks"][0]["start"][11:16]


@contextmanager
def serving(*answers):
    """A server with an answer for each request, the last one again and again; and the requests."""
    asked, left = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Accept"]))
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/work.ics", asked
    finally:
        server.shutdown()
        server.server_close()


class Reader:
    """A duty that does its work at once, at a time that tests set."""

    def __init__(self, app) -> None:
        database = app.extensions["database"]
        self.now = datetime.now(UTC)
        self.store = BusyCalendarStore(database)
        crew = Crew(1, 1)
        crew.add = lambda _, work: work()
        client = OutgoingClient(allow_private=True, seconds=600)
        settings = SettingsStore(database)
        self.duty = BusyCalendarDuty(
            self.store, settings, client, crew, "tests", lambda: self.now, 1.0
        )

    def run(self, later: timedelta = timedelta(seconds=1)) -> None:
        self.now = datetime.now(UTC) + later
        self.duty.run(self.now)


@pytest.fixture
def reader(app) -> Reader:
    return Reader(app)


@pytest.fixture
def lenient(monkeypatch) -> None:
    """A service that lets URLs be http, and of this machine."""
    monkeypatch.setattr(OutgoingClient, "check", _check(OutgoingClient.check))
    monkeypatch.setattr(OutgoingClient, "check_host", lambda *_: None)


def _check(strict):
    def check(client, url):
        before, client._allow_private = client._allow_private, True
        try:
            return strict(client, url)
        finally:
            client._allow_private = before

    return check


def test_plans_go_around_the_events_of_an_upload(ann, calls):
    ann.create(title="Write", durationMinutes=60)
    assert start(ann) == "09:00"
    calls.clear()
    calendar = added(add(ann, ics=ics(9, 10)))
    assert calls == ["GetItem", "GetItem", "TransactWriteItems"]  # the zone, the count
    assert (calendar["url"], calendar["times"], calendar["skipped"]) == (None, 1, 0)
    assert (calendar["allDay"], calendar["lastError"]) == ("IGNORE", None)
    assert calendar["refreshedAt"] is not None
    assert listed(ann) == [calendar]
    assert start(ann) == "11:00"
    removed = ann.graphql(REMOVE, id=calendar["id"])["data"]["removeBusyCalendar"]
    assert removed == {"removedCalendarId": calendar["id"]}
    assert (listed(ann), start(ann)) == ([], "09:00")


def test_a_plan_is_stale_once_a_calendar_has_changed(ann):
    ann.create(title="Write", durationMinutes=60)
    moment = MONDAY.isoformat().replace("+00:00", "Z")
    plan = ann.graphql(PREVIEW, **{"from": moment})["data"]["planPreview"]
    add(ann, ics=ics(9))
    applied = ann.graphql(
        "mutation ($input: PlanApplyInput!) { planApply(input: $input) { planId } }",
        input={"from": moment, "horizonDays": 7, "inputHash": plan["inputHash"]},
    )
    assert codes(applied) == ["CONFLICT"]


@pytest.mark.usefixtures("lenient")
def test_a_calendar_of_a_url_is_read_by_the_dispatcher(ann, reader):
    ann.create(title="Write", durationMinutes=60)
    with serving((200, {}, ics(9).encode()), (200, {}, ics(9, 10).encode())) as (url, asked):
        before = added(add(ann, url=url))
        assert (before["refreshedAt"], before["times"], asked) == (None, 0, [])
        reader.run()
        after = listed(ann)[0]
        assert (after["times"], after["lastError"], after["refreshedAt"] is None) == (
            1,
            None,
            False,
        )
        assert asked == [("/work.ics", "text/calendar, */*;q=0.1")]
        assert start(ann) == "10:00"
        reader.run()
        assert len(asked) == 1  # it is not due
        reader.run(timedelta(hours=1, seconds=5))
        assert (len(asked), start(ann)) == (2, "11:00")
        ann.graphql(REFRESH, id=after["id"])
        reader.run()
        assert len(asked) == 3


def test_the_times_of_a_range_are_listed_with_their_calendars(ann, bob, calls):
    work = added(add(ann, ics=ics(9, 10, 15)))["id"]
    home = added(add(ann, ics=ics(9)))["id"]
    calls.clear()
    found = ann.graphql(TIMES, **{"from": moment(10), "to": moment(15)})["data"]["busyTimes"]
    assert calls == ["Query"]
    assert found == [{"calendarId": work, "start": moment(9), "end": moment(11)}]
    whole = f"/api/v1/busy-times?from={moment(8)}&to={moment(20)}"
    assert [tuple(each.values()) for each in ann.rest("GET", whole).json] == [
        (home, moment(9), moment(10)),
        (work, moment(9), moment(11)),
        (work, moment(15), moment(16)),
    ]
    assert bob.rest("GET", whole).json == []


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("2030-01-06T00:00:00Z", "A range must not end before it starts."),
        ("2031-01-15T00:00:01Z", "A range must have at most 373 days."),
    ],
)
def test_a_range_of_times_is_bounded(ann, to, message):
    refused = ann.graphql(TIMES, **{"from": "2030-01-07T00:00:00Z", "to": to})
    assert codes(refused) == ["BAD_USER_INPUT"]
    assert refused["errors"][0]["message"] == message


@pytest.mark.usefixtures("lenient")
def test_a_failure_of_our_own_is_told_and_tried_again_later(ann, reader, monkeypatch):
    monkeypatch.setattr(duty, "read", lambda *_: 1 / 0)
    with serving((200, {}, ics(9).encode())) as (url, asked):
        add(ann, url=url)
        reader.run()
        reader.run(timedelta(minutes=50))
        assert len(asked) == 1
        monkeypatch.undo()
    assert listed(ann)[0]["lastError"] == "It could not be read: the service failed."


@pytest.mark.usefixtures("lenient")
def test_what_cannot_be_read_is_told_and_the_times_stay(ann, reader):
    ann.create(title="Write", durationMinutes=60)
    answers = [
        (200, {}, ics(9).encode()),
        (404, {}, b""),
        (200, {}, b"<html></html>"),
        (200, {}, b"x" * 1_048_577),
        (302, {"Location": "/work.ics"}, b""),
    ]
    with serving(*answers) as (url, _):
        calendar = added(add(ann, url=url))
        errors = []
        for _ in answers:
            ann.graphql(REFRESH, id=calendar["id"])
            reader.run()
            errors.append(listed(ann)[0]["lastError"])
    assert errors == [
        None,
        "It could not be read: the answer was 404.",
        "This is no calendar by RFC 5545 (iCalendar).",
        "It could not be read: more than 1,048,576 bytes.",
        "It could not be read: too many redirects.",
    ]
    assert (listed(ann)[0]["times"], start(ann)) == (1, "10:00")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "url"),
        ({"url": "https://example.com/x.ics", "ics": "x"}, "url"),
        ({"url": "http://example.com/x.ics"}, "url"),
        ({"url": "https://127.0.0.1/x.ics"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "webcal://127.0.0.1/x.ics"}, "url"),
        ({"url": "https://user:pass@example.com/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"ics": "x"}, "ics"),
        ({"ics": "BEGIN:VEVENT\r\nEND:VEVENT\r\n"}, "ics"),
        ({"ics": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "name": " "}, "name"),
    ],
)
def test_what_cannot_be_added_is_refused_by_field_and_nothing_is_written(ann, options, field):
    refused = add(ann, **options)
    assert codes(refused) == ["BAD_USER_INPUT"]
    assert refused["errors"][0]["extensions"]["field"] == field
    assert listed(ann) == []


def test_neither_a_url_nor_a_text_is_told_apart_from_both(ann):
    refused = [add(ann, **options) for options in ({}, {"url": "https://a.example/", "ics": "x"})]
    assert [answer["errors"][0]["message"] for answer in refused] == [
        "Give the URL of a calendar, or its text.",
        "Give the URL of a calendar or its text, not both.",
    ]


def test_rest_has_the_same(ann):
    made = ann.rest("POST", PATH, json={"name": "Work", "ics": ics(9), "all_day": "busy"})
    calendar = made.json
    assert (made.status_code, calendar["all_day"], calendar["times"]) == (201, "busy", 1)
    assert ann.rest("GET", PATH).json == [calendar]
    path = f"{PATH}/{calendar['calendar_id']}"
    assert ann.rest("POST", f"{path}/refresh").status_code == 202
    assert ann.rest("DELETE", path).json == {
        "message": "Busy calendar removed successfully",
        "calendar_id": calendar["calendar_id"],
    }
    assert ann.rest("GET", PATH).json == []


def test_nobody_has_the_calendars_of_another(ann, bob):
    calendar = added(add(ann, ics=ics(9)))["id"]
    assert listed(bob) == []
    for document in (REMOVE, REFRESH):
        assert codes(bob.graphql(document, id=calendar)) == ["NOT_FOUND"]
    assert len(listed(ann)) == 1


def test_a_user_has_at_most_ten(ann):
    for _ in range(10):
        add(ann, ics=ics())
    assert codes(add(ann, ics=ics())) == ["CONFLICT"]
    assert len(listed(ann)) == 10


def test_a_calendar_takes_the_place_of_another_one_also_beside_nine_more(ann, bob):
    others = [added(add(ann, ics=ics(9), name=f"{number}"))["id"] for number in range(9)]
    old = added(add(ann, ics=ics(10)))["id"]
    new = added(add(ann, ics=ics(11), replacesId=old))["id"]
    foreign = [add(person, ics=ics(12), replacesId=old) for person in (ann, bob)]
    foreign.append(add(bob, ics=ics(12), replacesId=""))

    assert [each["id"] for each in listed(ann)] == [*others, new]
    assert codes(add(ann, ics=ics(12))) == ["CONFLICT"]
    assert [codes(each) for each in foreign] == [["NOT_FOUND"]] * 3
    assert foreign[0]["errors"][0]["extensions"]["field"] == "replacesId"
    assert listed(bob) == []
    times = ann.graphql(TIMES_OF_ONE, id=new, **MONDAYS_DAY)["data"]["busyTimes"]
    assert times == [{"start": moment(11)}]


def test_the_times_of_one_calendar_are_listed_however_many_others_have(ann, bob, monkeypatch):
    added(add(ann, ics=ics(9, 11)))
    own = added(add(ann, ics=ics(13)))["id"]
    monkeypatch.setattr(service, "MAX_LISTED", 2)

    all_of_them = ann.graphql(TIMES, **MONDAYS_DAY)
    of_one = ann.graphql(TIMES_OF_ONE, id=own, **MONDAYS_DAY)
    day = "&".join(f"{name}={value}" for name, value in MONDAYS_DAY.items())
    rest = ann.rest("GET", f"/api/v1/busy-times?{day}&calendar_id={own}")
    foreign = bob.graphql(TIMES_OF_ONE, id=own, **MONDAYS_DAY)

    assert codes(all_of_them) == ["QUERY_TOO_COMPLEX"]
    assert of_one["data"]["busyTimes"] == [{"start": moment(13)}]
    assert [each["start"] for each in rest.json] == [moment(13)]
    assert (codes(foreign), foreign["errors"][0]["extensions"]["field"]) == (
        ["NOT_FOUND"],
        "calendarId",
    )


def test_calendars_go_with_the_account(ann, app, reader):
    add(ann, ics=ics(9))
    ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})
    places = app.extensions["database"].table("Users").query(Key("user_id").eq(DUE), limit=100)
    assert [item for item in places.items if ann.id in item["item"]["S"]] == []
    assert reader.store.times(ann.id) == []
