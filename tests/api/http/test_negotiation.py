import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.api.http.negotiation import GRAPHQL, JSON, choose

BROWSER = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json,"
    " text/event-stream, multipart/mixed"
)
APOLLO = "application/graphql-response+json,application/json;q=0.9"
APOLLO_DEFER = (
    "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"
)
GRAPHQL_REQUEST = "application/graphql-response+json, application/json"
RELAY_DOCS = "application/json"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        # Real clients
        pytest.param("", JSON, id="no header at all"),
        pytest.param("*/*", JSON, id="curl, fetch, axios of old"),
        pytest.param("application/json, text/plain, */*", JSON, id="axios"),
        pytest.param(RELAY_DOCS, JSON, id="relay"),
        pytest.param("application/json, multipart/mixed", JSON, id="graphiql"),
        pytest.param(BROWSER, JSON, id="chrome"),
        pytest.param(FIREFOX, JSON, id="firefox"),
        pytest.param("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON, id="java"),
        pytest.param(APOLLO, GRAPHQL, id="apollo"),
        pytest.param(APOLLO_DEFER, GRAPHQL, id="apollo with defer"),
        pytest.param(URQL, GRAPHQL, id="urql"),
        pytest.param(GRAPHQL_REQUEST, GRAPHQL, id="graphql-request"),
        # One of the two
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("application/*", JSON),
        ("text/html, application/*;q=0.1", JSON),
        # Weights
        (f"{GRAPHQL};q=0.5, {JSON};q=0.5", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.501", JSON),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.501", GRAPHQL),
        (f"{GRAPHQL};q=0.9, */*", JSON),
        (f"{GRAPHQL}, */*;q=0.1", GRAPHQL),
        (f"{GRAPHQL};q=0.001", GRAPHQL),
        (f"{JSON};q=0.001", JSON),
        (f"{GRAPHQL};q=1.000, {JSON};q=1.", GRAPHQL),
        # Weight 0 is a refusal
        (f"{GRAPHQL};q=0, {JSON}", JSON),
        (f"{GRAPHQL}, {JSON};q=0", GRAPHQL),
        (f"{GRAPHQL};q=0", None),
        (f"{JSON};q=0.000", None),
        (f"{JSON};q=0, */*", None),
        (f"{GRAPHQL};q=0, */*", JSON),
        ("*/*;q=0", None),
        ("application/*;q=0, text/html", None),
        # Other parameters, case and space
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL};charset=utf-8;q=0.9, {JSON};q=1", JSON),
        (f"{JSON}; charset=utf-8; q=0", None),
        ("Application/GraphQL-Response+JSON", GRAPHQL),
        (f"{JSON};Q=0", None),
        (f"  {GRAPHQL}  ;  q=1  ,  {JSON}  ;  q=0.9  ", GRAPHQL),
        (f"\t{JSON}\t", JSON),
        (f"{JSON};q=0.1, {JSON}, {GRAPHQL};q=0.9", JSON),
        # A weight that is none counts as none given
        (f"{GRAPHQL};q=high, {JSON}", GRAPHQL),
        (f"{GRAPHQL};q=, {JSON}", GRAPHQL),
        (f"{GRAPHQL};q=-1, {JSON}", GRAPHQL),
        (f"{GRAPHQL};q=0.0001, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=nan, {JSON}", GRAPHQL),
        (f"{GRAPHQL};q=\u0660, {JSON}", GRAPHQL),
        # Neither
        ("text/html", None),
        ("text/*", None),
        ("application/xml;q=0.9", None),
        ("application/jsonx", None),
        ("application/graphql+json", None),
        ("garbage", None),
        (";;;q=1", JSON),
        (",, ,", JSON),
        (";q=0", JSON),
    ],
)
def test_the_media_type_is_chosen_by_the_accept_header(accept, chosen):
    assert choose(accept) == chosen


NAMES = st.sampled_from([GRAPHQL, JSON, "*/*", "application/*", "text/html"])
WEIGHTS = st.sampled_from(["", ";q=0", ";q=0.3", ";q=0.7", ";q=1", ";q=x", ";charset=utf-8"])


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, WEIGHTS), max_size=6), st.randoms())
def test_the_order_of_the_header_does_not_matter(parts, random):
    shuffled = random.sample(parts, len(parts))

    assert choose(",".join(map("".join, shuffled))) == choose(",".join(map("".join, parts)))


@settings(deadline=None)
@given(st.text(st.sampled_from("applicton/jsgrhqe-+,;=*. 01\t\0é"), max_size=80) | st.text())
def test_any_text_is_answered_and_the_newer_type_must_be_named(accept):
    chosen = choose(accept)

    assert chosen in {JSON, GRAPHQL, None}
    assert chosen != GRAPHQL or GRAPHQL in accept.lower()
