"""Calendar feeds: made by GraphQL and REST, read by whoever knows their address."""

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest
from conftest import PASSWORD, codes

pytestmark = pytest.mark.core

CREATE = """
  mutation ($input: CreateCalendarFeedInput!) {
    createCalendarFeed(input: $input) { feed { id name content detail createdAt } url }
  }
"""
DELETE = """
  mutation ($id: ID!) { deleteCalendarFeed(input: {id: $id}) { deletedFeedId } }
"""
FEEDS = "{ calendarFeeds { id name content detail createdAt } }"
PATH = "/api/v1/calendar-feeds"
TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(1)


def create(person, **options):
    fields = {"name": "My plan", "content": ["BLOCKS", "DUE"], **options}
    return person.graphql(CREATE, input=fields)


def path_of(answer) -> str:
    return urlsplit(answer["data"]["createCalendarFeed"]["url"]).path


def events(response) -> dict[str, icalendar.Event]:
    """The events of a calendar, by their titles."""
    assert response.status_code == 200
    found = icalendar.Calendar.from_ical(response.data).walk("VEVENT")
    return {str(event["SUMMARY"]): event for event in found}


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture
def tasks(ann) -> list[dict]:
    return [
        ann.create(
            title="Write, and send",
            description="Two pages",
            plannedStart=text(TOMORROW),
            plannedEnd=text(TOMORROW + timedelta(hours=2)),
        ),
        ann.create(title="Pay", dueOn=TOMORROW.date().isoformat()),
        ann.create(title="Call", dueAt=text(TOMORROW)),
        ann.create(title="Done", dueAt=text(TOMORROW), status="COMPLETED"),
        ann.create(title="Some day"),
    ]


def test_a_calendar_has_what_is_planned_and_what_is_due(ann, api, tasks, calls):
    path = path_of(create(ann))
    calls.clear()
    answer = api.rest("GET", path)
    # The feed; blocks of open and of closed tasks in short, and the task of one; what is open in
    # short, and those tasks that are due as a whole.
    assert calls == ["GetItem", "Query", "Query", "GetItem", "Query", "BatchGetItem"]
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = events(answer)
    assert set(found) == {"Write, and send", "Pay", "Call"}
    block, whole_day, call = (found[name] for name in ("Write, and send", "Pay", "Call"))
    assert (block["DTSTART"].dt, block["DTEND"].dt) == (TOMORROW, TOMORROW + timedelta(hours=2))
    assert (block["DESCRIPTION"], block["TRANSP"], block["SEQUENCE"]) == ("Two pages", "OPAQUE", 1)
    assert (whole_day["DTSTART"].dt, whole_day["TRANSP"]) == (TOMORROW.date(), "TRANSPARENT")
    assert (call["DTSTART"].dt, "DTEND" in call) == (TOMORROW, False)
    assert call["UID"] == f"{tasks[2]['id']}_due@smart-task-scheduler"


@pytest.mark.usefixtures("tasks")
def test_a_feed_has_the_content_that_it_was_made_for(ann, api):
    assert set(events(api.rest("GET", path_of(create(ann, content=["BLOCKS"]))))) == {
        "Write, and send"
    }
    assert set(events(api.rest("GET", path_of(create(ann, content=["DUE"]))))) == {"Pay", "Call"}


@pytest.mark.usefixtures("tasks")
def test_a_busy_feed_tells_times_alone(ann, api):
    answer = api.rest("GET", path_of(create(ann, detail="BUSY")))
    assert set(events(answer)) == {"Busy", "Due"}
    assert [word for word in ("Write", "Two pages", "Pay") if word in answer.text] == []


def test_a_task_that_moves_stays_the_same_event_of_a_later_version(ann, api, tasks):
    path = path_of(create(ann))
    before = events(api.rest("GET", path))["Call"]
    ann.graphql(
        "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } } }",
        input={"id": tasks[2]["id"], "dueAt": text(TOMORROW + timedelta(hours=1))},
    )
    after = events(api.rest("GET", path))["Call"]
    assert (after["UID"], after["SEQUENCE"]) == (before["UID"], before["SEQUENCE"] + 1)
    assert after["LAST-MODIFIED"].dt >= before["LAST-MODIFIED"].dt


@pytest.mark.usefixtures("tasks")
def test_what_has_not_changed_is_not_sent_again(ann, api):
    path = path_of(create(ann))
    first = api.rest("GET", path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    etag = first.headers["ETag"]
    again = api.rest("GET", path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    head = api.rest("HEAD", path)
    assert (head.status_code, head.headers["ETag"], head.data) == (200, etag, b"")
    ann.create(title="New", dueAt=text(TOMORROW))
    changed = api.rest("GET", path, headers={"If-None-Match": etag})
    assert (changed.status_code, changed.headers["ETag"] != etag) == (200, True)


def test_an_address_is_shown_once(ann):
    answer = create(ann, name=" Plan ", detail="BUSY")
    feed = answer["data"]["createCalendarFeed"]["feed"]
    assert (feed["name"], feed["content"], feed["detail"]) == ("Plan", ["BLOCKS", "DUE"], "BUSY")
    assert ann.graphql(FEEDS)["data"]["calendarFeeds"] == [feed]
    listed = ann.rest("GET", PATH)
    secret = path_of(answer).removesuffix(".ics").rpartition(".")[2]
    assert len(secret) == 43
    assert secret not in listed.text
    assert [each["feed_id"] for each in listed.json] == [feed["id"]]


def test_rest_makes_and_deletes_feeds_too(ann, api):
    made = ann.rest("POST", PATH, json={"name": "Plan", "content": ["due"]})
    assert (made.status_code, made.json["feed"]["detail"]) == (201, "full")
    path = urlsplit(made.json["url"]).path
    assert api.rest("GET", path).status_code == 200
    gone = ann.rest("DELETE", f"{PATH}/{made.json['feed']['feed_id']}")
    assert gone.json == {
        "message": "Calendar feed deleted successfully",
        "feed_id": made.json["feed"]["feed_id"],
    }
    assert api.rest("GET", path).status_code == 404


def test_a_deleted_feed_is_gone_at_once(ann, api):
    answer = create(ann)
    path, feed = path_of(answer), answer["data"]["createCalendarFeed"]["feed"]
    assert ann.graphql(DELETE, id=feed["id"])["data"]["deleteCalendarFeed"] == {
        "deletedFeedId": feed["id"]
    }
    assert api.rest("GET", path).status_code == 404
    assert codes(ann.graphql(DELETE, id=feed["id"])) == ["NOT_FOUND"]

    path = path_of(create(ann))
    ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})
    assert api.rest("GET", path).status_code == 404


def test_nobody_deletes_the_feed_of_another(ann, bob, api):
    answer = create(ann)
    feed = answer["data"]["createCalendarFeed"]["feed"]["id"]
    assert codes(bob.graphql(DELETE, id=feed)) == ["NOT_FOUND"]
    assert bob.rest("DELETE", f"{PATH}/{feed}").status_code == 404
    assert bob.graphql(FEEDS)["data"]["calendarFeeds"] == []
    assert api.rest("GET", path_of(answer)).status_code == 200


def test_whatever_is_wrong_with_an_address_it_leads_nowhere_in_the_same_words(ann, bob, api):
    good = path_of(create(ann)).removesuffix(".ics")
    user, feed, secret = good.rpartition("/")[2].split(".")
    wrong = [
        "x",
        "..",
        f"{user}.{feed}",
        f"{user}.{feed}.{'B' if secret[0] == 'A' else 'A'}{secret[1:]}",
        f"{user}.{feed}.{secret}x",
    ]
    wrong += [f"{bob.id}.{feed}.{secret}", f"{user}.{user}.{secret}", f"{user}.{feed}.{'A' * 43}"]
    answers = [api.rest("GET", f"/calendars/{token}.ics") for token in wrong]
    bodies = {
        tuple(sorted((k, v) for k, v in each.json.items() if k not in {"request_id", "instance"}))
        for each in answers
    }
    assert ({each.status_code for each in answers}, len(bodies)) == ({404}, 1)


def test_no_log_line_has_the_secret(ann, api, caplog):
    path = path_of(create(ann))
    caplog.set_level(logging.INFO)
    for asked in (path, path + "x", path.upper()):
        api.rest("GET", asked)
    secret = path.removesuffix(".ics").rpartition(".")[2]
    paths = [record.fields["path"] for record in caplog.records if hasattr(record, "fields")]
    assert [each for each in paths if secret.lower() in each.lower()] == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"content": []}, "content"),
        ({"content": ["NOTHING"]}, "content"),
    ],
)
def test_what_a_feed_cannot_be_is_refused_by_field(ann, options, field):
    refused = create(ann, **options)
    assert codes(refused) == ["BAD_USER_INPUT"]
    assert refused["errors"][0]["extensions"]["field"] == field
    assert ann.graphql(FEEDS)["data"]["calendarFeeds"] == []


def test_a_user_has_at_most_twenty_feeds(ann):
    for _ in range(20):
        create(ann, content=["DUE"])
    assert codes(create(ann)) == ["CONFLICT"]
    assert len(ann.graphql(FEEDS)["data"]["calendarFeeds"]) == 20
