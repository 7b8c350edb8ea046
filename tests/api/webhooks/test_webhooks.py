"""Creating, changing and listing webhooks, by GraphQL and by REST."""

from datetime import timedelta

import pytest
from conftest import PASSWORD, codes
from webhook_world import CREATE, DELIVERIES, UPDATE, WEBHOOKS, World, world
from whole_tables import scanned

from graphql_api import clock, ids
from graphql_api.domain.webhooks import service
from graphql_api.domain.webhooks.model import MAX_WEBHOOKS
from graphql_api.infra.dynamodb import ConditionFailed

URL = "https://example.com/hooks"
DELETE = """mutation ($input: DeleteWebhookInput!) {
  deleteWebhook(input: $input) { deletedWebhookId } }"""
ROTATE = "mutation ($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }"
TEST = "mutation ($id: ID!) { sendTestEvent(input: {webhookId: $id}) { delivery { id } } }"
REDELIVER = "mutation ($id: ID!) { redeliver(input: {deliveryId: $id}) { delivery { id } } }"
ONE = "query ($id: ID!) { webhook(id: $id) { url } }"
ALL_KINDS = '{ __type(name: "ChangeKind") { enumValues { name } } }'


@pytest.fixture(scope="module")
def hooks(engine):
    with world(engine) as there:
        there.receiver.url = URL  # nothing is delivered here
        yield there


@pytest.fixture
def ann(hooks: World):
    return hooks.api.register("ann")


@pytest.fixture
def eve(hooks: World):
    return hooks.api.register("eve")


def items(hooks, person):
    """All items of a person's webhooks and deliveries."""
    found = scanned(hooks.database.client, "Users")
    keys = [(item["user_id"]["S"], item["item"]["S"]) for item in found]
    return [key for key in keys if person.id in str(key) and "webhook" in str(key)]


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_a_webhook_is_created_with_a_secret_that_is_shown_once(ann, entry):
    if entry == "graphql":
        given = {"url": URL, "kinds": ["TASK_CREATED"], "filter": {"tags": ["home"]}}
        answer = ann.graphql(CREATE, input=given)["data"]["createWebhook"]
        webhook, secret = answer["webhook"], answer["secret"]
    else:
        given = {"url": URL, "kinds": ["task_created"], "filter": {"tags": ["home"]}}
        answer = ann.rest("POST", "/api/v1/webhooks", json=given)
        webhook, secret = answer.json["webhook"], answer.json["secret"]
        assert (answer.status_code, answer.headers["Location"]) == (
            201,
            f"/api/v1/webhooks/{webhook['webhook_id']}",
        )

    assert secret.startswith("whsec_")
    [found] = ann.graphql(WEBHOOKS)["data"]["webhooks"]
    assert found == {
        "id": webhook.get("id") or webhook["webhook_id"],
        "url": URL,
        "kinds": ["TASK_CREATED"],
        "status": "ENABLED",
        "disabledReason": None,
        "version": 1,
        "filter": {"status": None, "tags": ["home"]},
    }
    listed = ann.rest("GET", "/api/v1/webhooks")
    assert [each["webhook_id"] for each in listed.json] == [found["id"]]
    assert secret not in listed.text


def test_without_kinds_a_webhook_has_all_of_them_and_without_filter_none(hooks, ann):
    webhook = hooks.create(ann)

    names = [value["name"] for value in ann.graphql(ALL_KINDS)["data"]["__type"]["enumValues"]]
    assert (webhook["kinds"], webhook["filter"]) == (names, None)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "ftp://example.com/",
        "https://",
        "https://:443/",
        "https://user:password@example.com/",
        "https://example.com/#fragment",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com\\@127.0.0.1/",
        "https://[::1/",
        f"https://example.com/{'x' * 2_048}",
    ],
)
def test_what_is_no_url_of_a_host_is_refused_by_the_name_of_its_field(hooks, ann, url):
    created = ann.graphql(CREATE, input={"url": url})
    answer = ann.rest("POST", "/api/v1/webhooks", json={"url": url})

    assert codes(created) == ["BAD_USER_INPUT"]
    assert created["errors"][0]["extensions"]["field"] == "url"
    assert (answer.status_code, answer.json["field"]) == (400, "url")
    assert items(hooks, ann) == []


@pytest.mark.parametrize("entry", ["create", "update"])
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
    ],
)
def test_private_addresses_and_http_are_refused_unless_the_operator_allows_them(api, entry, url):
    ann = api.register("ann")
    if entry == "create":
        answer = ann.graphql(CREATE, input={"url": url})
        rest = ann.rest("POST", "/api/v1/webhooks", json={"url": url})
        kept = []
    else:
        webhook = ann.graphql(CREATE, input={"url": "https://203.0.114.1/"})
        webhook_id = webhook["data"]["createWebhook"]["webhook"]["id"]
        answer = ann.graphql(UPDATE, input={"id": webhook_id, "url": url})
        rest = ann.rest("PATCH", f"/api/v1/webhooks/{webhook_id}", json={"url": url})
        kept = ["https://203.0.114.1/"]

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "url"
    assert (rest.status_code, rest.json["field"]) == (400, "url")
    assert [each["url"] for each in ann.graphql(WEBHOOKS)["data"]["webhooks"]] == kept


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kinds": []}, "kinds"),
        ({"filter": {"tags": [f"{number}" for number in range(100)]}}, "tags"),
        ({"filter": {"search": "x" * 201}}, "search"),
    ],
)
def test_bad_kinds_and_filters_are_refused_by_name(hooks, ann, given, field):
    answer = ann.graphql(CREATE, input={"url": URL, **given})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == field
    assert items(hooks, ann) == []


def test_a_kind_that_does_not_exist_is_refused(hooks, ann):
    answer = ann.graphql(CREATE, input={"url": URL, "kinds": ["TASK_EATEN"]})
    rest = ann.rest("POST", "/api/v1/webhooks", json={"url": URL, "kinds": ["task_eaten"]})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert (rest.status_code, rest.json["field"]) == (400, "kinds")
    assert items(hooks, ann) == []


def test_a_user_may_have_ten_webhooks(hooks, ann):
    first, *_ = [hooks.create(ann, f"/{number}") for number in range(MAX_WEBHOOKS)]

    answer = ann.graphql(CREATE, input={"url": URL})
    rest = ann.rest("POST", "/api/v1/webhooks", json={"url": URL})

    assert codes(answer) == ["CONFLICT"]
    assert rest.status_code == 409
    assert len(ann.graphql(WEBHOOKS)["data"]["webhooks"]) == MAX_WEBHOOKS
    ann.graphql(DELETE, input={"id": first["id"]})
    assert "errors" not in ann.graphql(CREATE, input={"url": URL})


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_what_is_absent_stays_and_null_clears_the_filter(hooks, ann, entry):
    webhook = hooks.create(ann, kinds=["TASK_CREATED"], filter={"tags": ["home"]})

    def change(**fields):
        if entry == "graphql":
            answer = ann.graphql(UPDATE, input={"id": webhook["id"], **fields})
            return answer["data"]["updateWebhook"]
        ann.rest("PATCH", f"/api/v1/webhooks/{webhook['id']}", json=fields)
        return {"webhook": hooks.webhook(ann), "secret": None}

    renamed = change(url=f"{URL}/new")
    cleared = change(filter=None)["webhook"]
    same = change(filter=None)["webhook"]

    assert (renamed["webhook"]["url"], renamed["webhook"]["filter"]["tags"]) == (
        f"{URL}/new",
        ["home"],
    )
    assert renamed["secret"] is None
    assert (cleared["filter"], cleared["version"]) == (None, 3)
    assert same["version"] == 3


@pytest.mark.parametrize("field", ["url", "kinds", "status"])
def test_what_a_webhook_needs_cannot_be_null(hooks, ann, field):
    webhook = hooks.create(ann)

    answer = ann.graphql(UPDATE, input={"id": webhook["id"], field: None})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == field
    assert hooks.webhook(ann)["version"] == 1


def test_a_change_of_another_version_is_a_conflict(hooks, ann):
    webhook = hooks.create(ann)
    path = f"/api/v1/webhooks/{webhook['id']}"
    changes = {"id": webhook["id"], "expectedVersion": 2}

    assert codes(ann.graphql(UPDATE, input={**changes, "status": "DISABLED"})) == ["CONFLICT"]
    assert codes(ann.graphql(DELETE, input=changes)) == ["CONFLICT"]
    assert ann.rest("GET", path).headers["ETag"] == '"1"'
    headers = {"If-Match": '"2"'}
    stale = ann.rest("PATCH", path, json={"status": "disabled"}, headers=headers)
    assert stale.status_code == 412
    assert ann.rest("DELETE", path, headers=headers).status_code == 412
    assert hooks.webhook(ann)["version"] == 1


def test_rest_does_all_that_graphql_does(hooks, ann):
    webhook = hooks.create(ann)
    path = f"/api/v1/webhooks/{webhook['id']}"

    secret = ann.rest("POST", f"{path}/secret")
    test = ann.rest("POST", f"{path}/test")
    again = ann.rest("POST", f"/api/v1/deliveries/{test.json['delivery_id']}/redeliver")
    deliveries = ann.rest("GET", f"{path}/deliveries")
    page = ann.rest("GET", f"{path}/deliveries?limit=1")
    disabled = ann.rest("PUT", path, json={"status": "disabled"})
    deleted = ann.rest("DELETE", path)

    assert list(secret.json) == ["secret"]
    assert (test.status_code, test.json["status"], test.json["kind"]) == (202, "pending", None)
    assert (again.status_code, again.json["message_id"]) == (202, test.json["message_id"])
    ids_ = [each["delivery_id"] for each in deliveries.json]
    assert ids_ == [again.json["delivery_id"], test.json["delivery_id"]]
    assert [each["delivery_id"] for each in page.json] == ids_[:1]
    assert 'rel="next"' in page.headers["Link"]
    assert (disabled.json["status"], disabled.json["disabled_reason"]) == (
        "disabled",
        "Disabled by its user.",
    )
    assert deleted.json == {
        "message": "Webhook deleted successfully",
        "webhook_id": webhook["id"],
    }
    assert ann.rest("GET", path).status_code == 404


def test_nobody_sees_changes_or_sends_by_another_s_webhook(hooks, ann, eve):
    webhook = hooks.create(ann)
    test = ann.graphql(TEST, id=webhook["id"])["data"]["sendTestEvent"]["delivery"]["id"]
    before = items(hooks, ann)

    for query, variables in [
        (ONE, {"id": webhook["id"]}),
        (UPDATE, {"input": {"id": webhook["id"], "url": "https://127.0.0.1/"}}),
        (DELETE, {"input": {"id": webhook["id"]}}),
        (ROTATE, {"id": webhook["id"]}),
        (TEST, {"id": webhook["id"]}),
        (REDELIVER, {"id": test}),
        (DELIVERIES, {"id": webhook["id"]}),
    ]:
        assert codes(eve.graphql(query, **variables)) == ["NOT_FOUND"], query
    path = f"/api/v1/webhooks/{webhook['id']}"
    for method, rest in [
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}/secret"),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/deliveries"),
        ("POST", f"/api/v1/deliveries/{test}/redeliver"),
    ]:
        assert eve.rest(method, rest).status_code == 404, rest

    assert eve.graphql(WEBHOOKS)["data"]["webhooks"] == []
    assert items(hooks, ann) == before
    assert items(hooks, eve) == []


@pytest.mark.parametrize("id", ["", "x", "a_b", "webhook", "profile", "x" * 500, "a#b", "..%2f"])
def test_an_id_that_is_none_is_not_found(ann, id):
    assert codes(ann.graphql(ONE, id=id)) == ["NOT_FOUND"]
    assert codes(ann.graphql(REDELIVER, id=id)) == ["NOT_FOUND"]


def test_a_cursor_of_another_list_is_refused(hooks, ann):
    one, two = hooks.create(ann), hooks.create(ann)
    for _ in range(2):
        ann.graphql(TEST, id=one["id"])
    page = ann.graphql(DELIVERIES, id=one["id"], first=1)["data"]["webhookDeliveries"]

    answer = ann.graphql(DELIVERIES, id=two["id"], after=page["pageInfo"]["endCursor"])

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == "after"


def test_nobody_without_a_token_is_answered(hooks):
    for method, path in [("GET", "/api/v1/webhooks"), ("POST", "/api/v1/webhooks")]:
        assert hooks.api.rest(method, path, json={"url": URL}).status_code == 401
    assert codes(hooks.api.graphql(WEBHOOKS)) == ["UNAUTHENTICATED"]


def test_a_deleted_account_leaves_no_webhook_and_no_delivery(hooks, ann):
    webhook = hooks.create(ann)
    ann.graphql(TEST, id=webhook["id"])
    [pending] = hooks.store.pending(ann.id)
    old = ids.new_id(clock.now() - timedelta(days=20))
    hooks.store.finish(pending.begun(clock.now(), timedelta()).delivered(204))
    for delivery_id in (f"{webhook['id']}_{old}", f"{webhook['id']}_{ids.new_id(clock.now())}"):
        other = pending.again(clock.now())
        other.delivery_id = delivery_id  # type: ignore[misc]  # as only time makes it
        hooks.store.add_pending(other)
        hooks.store.finish(other.delivered(204))
    assert len(items(hooks, ann)) == 3
    assert [key for key in all_keys(hooks) if ann.id in str(key) and "deliver" in str(key)]

    ann.rest("DELETE", "/auth/account", json={"password": PASSWORD})

    assert [key for key in all_keys(hooks) if ann.id in str(key)] == [("job#deletion", ann.id)]


def test_fifty_deliveries_that_were_asked_for_may_wait(hooks, ann, monkeypatch):
    monkeypatch.setattr(service, "MAX_REQUESTED", 2)
    webhook = hooks.create(ann)
    [test, _] = [ann.graphql(TEST, id=webhook["id"])["data"]["sendTestEvent"] for _ in range(2)]

    assert codes(ann.graphql(TEST, id=webhook["id"])) == ["RATE_LIMITED"]
    assert codes(ann.graphql(REDELIVER, id=test["delivery"]["id"])) == ["RATE_LIMITED"]
    limited = ann.rest("POST", f"/api/v1/webhooks/{webhook['id']}/test")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "60")
    assert len(hooks.store.pending(ann.id)) == 2


def test_more_deliveries_than_can_be_counted_are_listed_without_their_number(
    hooks, ann, monkeypatch
):
    monkeypatch.setattr(service, "MAX_COUNTED", 2)
    webhook = hooks.create(ann)
    for _ in range(3):
        ann.graphql(TEST, id=webhook["id"])

    answer = ann.graphql(DELIVERIES, id=webhook["id"], first=1)

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    listed = "query ($id: ID!) { webhookDeliveries(webhookId: $id) { nodes { id } } }"
    found = ann.graphql(listed, id=webhook["id"])["data"]["webhookDeliveries"]["nodes"]
    assert len(found) == 3


@pytest.fixture
def lost_answers(hooks, ann, monkeypatch):
    """Let the store carry out each write, and lose its answer: the next try meets its own."""
    assert ann  # who has registered before
    transact, call = hooks.database.transact, hooks.database.call

    def lose_transaction(*actions):
        transact(*actions)
        raise ConditionFailed(maybe_applied=True)

    def lose_update(operation, **arguments):
        answer = call(operation, **arguments)
        if operation == "UpdateItem" and "due_at" not in str(arguments):
            raise ConditionFailed(maybe_applied=True)
        return answer

    monkeypatch.setattr(hooks.database, "transact", lose_transaction)
    monkeypatch.setattr(hooks.database, "call", lose_update)


@pytest.mark.usefixtures("lost_answers")
def test_a_write_whose_answer_was_lost_is_known_to_be_done(hooks, ann):
    webhook = hooks.create(ann)
    changed = ann.graphql(UPDATE, input={"id": webhook["id"], "kinds": ["TASK_CREATED"]})
    rotated = ann.graphql(ROTATE, id=webhook["id"])["data"]["rotateWebhookSecret"]
    ann.graphql(TEST, id=webhook["id"])

    assert changed["data"]["updateWebhook"]["webhook"]["version"] == 2
    assert hooks.webhook(ann)["version"] == 3
    assert hooks.store.get(ann.id, webhook["id"]).secret == rotated["secret"]
    assert len(hooks.store.pending(ann.id)) == 1
    deleted = ann.graphql(DELETE, input={"id": webhook["id"]})
    assert deleted == {"data": {"deleteWebhook": {"deletedWebhookId": webhook["id"]}}}
    assert ann.graphql(WEBHOOKS)["data"]["webhooks"] == []


def all_keys(hooks):
    found = scanned(hooks.database.client, "Users")
    return [(item["user_id"]["S"], item["item"]["S"]) for item in found]
