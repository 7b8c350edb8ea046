"""Tokens as attackers make them: none opens anything, in GraphQL or REST (RFC 8725)."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from conftest import CREATE, Api, codes
from engines import CONFIG

from graphql_api.clock import now
from graphql_api.domain.accounts.tokens import MAX_HEADER_LENGTH, Tokens, credentials
from graphql_api.errors import Unauthenticated

pytestmark = pytest.mark.engine_is_no_matter

KEY = CONFIG.jwt_secret
PUBLIC_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n"
)
PUBLIC_JWK = '{"crv":"Ed25519","kty":"OKP","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}'


def encoded(part: bytes | str) -> str:
    part = part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(token: str) -> tuple[dict, dict]:
    """A token's header and claims."""
    header, claims, _ = token.split(".")
    return json.loads(decoded(header)), json.loads(decoded(claims))


def signed(header: object, claims: object, key: bytes = KEY, digest: str = "sha256") -> str:
    """A token with this header and these claims (JSON texts stay as they are) and a right MAC."""
    texts = [text if isinstance(text, str) else json.dumps(text) for text in (header, claims)]
    message = ".".join(map(encoded, texts))
    return f"{message}.{encoded(hmac.digest(key, message.encode(), digest))}"


def changed(token: str, claims: dict | None = None, **header) -> str:
    """The token with other claims or header members, rightly signed."""
    old_header, old_claims = parts(token)
    return signed({**old_header, **header}, {**old_claims, **(claims or {})})


def claimed(**claims):
    return lambda token: changed(token, claims)


def headed(**header):
    return lambda token: changed(token, None, **header)


def unsigned(algorithm: object, signature: str = ""):
    def make(token: str) -> str:
        header, claims = parts(token)
        head = encoded(json.dumps({**header, "alg": algorithm}))
        return f"{head}.{encoded(json.dumps(claims))}.{signature}"

    return make


def confused(key: str, algorithm: str = "HS256"):
    """Signed with a text that everybody knows as the secret."""
    return lambda token: signed(
        {**parts(token)[0], "alg": algorithm}, parts(token)[1], key.encode()
    )


def duplicated(name: str, *, where: str, bad: object):
    """One member twice, first as it should be and then not."""

    def make(token: str) -> str:
        texts = dict(zip(("header", "claims"), map(json.dumps, parts(token)), strict=True))
        texts[where] = f"{texts[where][:-1]},{json.dumps(name)}:{json.dumps(bad)}}}"
        return signed(texts["header"], texts["claims"])

    return make


def respelt(change):
    """The token's own three parts, written otherwise."""
    return lambda token: ".".join(change(*token.split(".")))


def last_bits(part: str) -> str:
    """Another text that decodes to the same bytes: the bits beyond them are not nought."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4
    other = part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]
    assert decoded(other) == decoded(part)
    return other


ALGORITHMS = {
    **{f"alg {alg}": unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "", None, 0, [])},
    "alg none with a signature": unsigned("none", "c2ln"),
    "alg HS256 without a signature": unsigned("HS256"),
    "alg RS256": unsigned("RS256", "c2ln"),
    "alg EdDSA": unsigned("EdDSA", "c2ln"),
    "alg HS256 in small letters": headed(alg="hs256"),
    "alg in a list": headed(alg=["HS256"]),
    "alg HS512": lambda t: signed({**parts(t)[0], "alg": "HS512"}, parts(t)[1], KEY, "sha512"),
    "alg HS256 with SHA-512": lambda t: signed(*parts(t), KEY, "sha512"),
    "alg absent": lambda t: signed({"typ": "at+jwt", "kid": parts(t)[0]["kid"]}, parts(t)[1]),
    "an empty key": confused(""),
    "a public key": confused(PUBLIC_KEY),
    "a public key with CRLF": confused(PUBLIC_KEY.replace("\n", "\r\n")),
    "a public JWK": confused(PUBLIC_JWK),
    "a public key by RS256": confused(PUBLIC_KEY, "RS256"),
    "the key's name as the key": lambda t: signed(*parts(t), parts(t)[0]["kid"].encode()),
    "the key's SHA-256": lambda t: signed(*parts(t), hashlib.sha256(KEY).digest()),
}

HEADERS = {
    **{
        f"kid {str(kid)[:30]}": headed(kid=kid)
        for kid in (
            *("", "../../../../dev/null", "/dev/null", "file:///dev/null", "x\0", "é"),
            *("' OR 1=1 --", "x' UNION SELECT 'key' --", "https://evil.example/key", "|id"),
            *(None, 0, True, [], {}, ["x"], {"$ne": ""}, "x" * 2_000),
        )
    },
    "kid absent": lambda t: signed({"alg": "HS256", "typ": "at+jwt"}, parts(t)[1]),
    "crit unknown": headed(crit=["x"], x=1),
    "crit of b64": headed(crit=["b64"], b64=True),
    "crit empty": headed(crit=[]),
    "crit a text": headed(crit="x"),
    "b64 true": headed(b64=True),
    "zip": headed(zip="DEF"),
    "cty": headed(cty="JWT"),
    "x5t": headed(x5t="x"),
    "b64 false": headed(b64=False, crit=["b64"]),
    **{
        f"typ {typ}": headed(typ=typ)
        for typ in ("JWT", "jwt", "rt+jwt", "at+jwt ", "application/jwt", "", None, 1, ["at+jwt"])
    },
    "typ absent": lambda t: signed({"alg": "HS256", "kid": parts(t)[0]["kid"]}, parts(t)[1]),
    "the header is a list": lambda t: signed([], parts(t)[1]),
    "the header is null": lambda t: signed(None, parts(t)[1]),
    "the header is no JSON": lambda t: signed("{", parts(t)[1]),
    "the header is UTF-16": lambda t: (
        f"{encoded(json.dumps(parts(t)[0]).encode('utf-16'))}.e30.e30"
    ),
    "the header is nested": lambda _: signed("[" * 900 + "]" * 900, "{}"),
}

ODD = (None, True, [], {}, [1], {"a": 1}, 1.5)
CLAIMS = {
    **{f"{name} {odd}": claimed(**{name: odd}) for name in ("sub", "sid", "jti") for odd in ODD},
    **{f"{name} 1": claimed(**{name: 1}) for name in ("sub", "sid", "jti")},
    **{f"{name} {odd}": claimed(**{name: odd}) for name in ("iss", "aud") for odd in (*ODD, 1)},
    **{
        f"{name} {odd}": claimed(**{name: odd})
        for name in ("exp", "iat")
        for odd in (*ODD, "9999999999", 1e30, -1, 0, 10**30, "")
    },
    **{f"nbf {odd}": claimed(nbf=odd) for odd in ("x", [], {}, 10**30, 9_999_999_999)},
    "exp NaN": lambda t: signed(parts(t)[0], json.dumps({**parts(t)[1], "exp": float("nan")})),
    "exp Infinity": lambda t: signed(parts(t)[0], json.dumps({**parts(t)[1], "exp": float("inf")})),
    "exp of 5,000 digits": lambda t: signed(
        parts(t)[0], json.dumps(parts(t)[1])[:-1] + ',"exp":1' + "0" * 2_000 + "}"
    ),
    "iss longer": claimed(iss="smart-task-scheduler.evil.example"),
    "iss shorter": claimed(iss="smart"),
    "iss in a list": claimed(iss=["smart-task-scheduler"]),
    "aud ours and another": claimed(aud=["smart-task-scheduler", "another"]),
    "aud ours in a list": claimed(aud=["smart-task-scheduler"]),
    "aud empty": claimed(aud=""),
    "sub of nobody": claimed(sub="nobody"),
    "sub empty": claimed(sub=""),
    "sub long": claimed(sub="x" * 1_500),
    "sid of nobody": claimed(sid="nobody"),
    "sid empty": claimed(sid=""),
    "sid another item": claimed(sid="../profile"),
    "sid long": claimed(sid="x" * 1_500),
    "a lone surrogate in sub": claimed(sub="\ud800"),
    "a lone surrogate in sid": claimed(sid="\ud800"),
    "the claims are a list": lambda t: signed(parts(t)[0], [parts(t)[1]]),
    "the claims are null": lambda t: signed(parts(t)[0], None),
    "the claims are a text": lambda t: signed(parts(t)[0], '"x"'),
    "the claims are a token": lambda t: signed(parts(t)[0], t),
    "the claims are no JSON": lambda t: signed(parts(t)[0], "{"),
    "the claims are not UTF-8": lambda t: signed(
        parts(t)[0], '{"sub": "\udcff"}'.encode("utf-8", "surrogateescape").decode("latin-1")
    ),
    "the claims are nested": lambda t: signed(parts(t)[0], "[" * 900 + "]" * 900),
}

DUPLICATES = {  # JSON's last one counts, so that the other order is the token as it was
    f"{name} twice": duplicated(name, where=where, bad=bad)
    for name, where, bad in (
        ("alg", "header", "none"),
        ("kid", "header", "../x"),
        ("typ", "header", "JWT"),
        ("sub", "claims", "another"),
        ("sid", "claims", "another"),
        ("exp", "claims", 9_999_999_999),
        ("aud", "claims", "another"),
    )
}

SHAPES = {
    "one part": respelt(lambda h, _c, _s: (h,)),
    "two parts": respelt(lambda h, c, _s: (h, c)),
    "four parts": respelt(lambda h, c, s: (h, c, s, "")),
    "five parts, as a JWE has": respelt(lambda h, c, s: (h, "", c, s, s)),
    "a JWE": lambda _: f"{encoded(json.dumps({'alg': 'dir', 'enc': 'A256GCM'}))}..a.b.c",
    "a JWS in JSON": lambda t: json.dumps(
        dict(zip(("protected", "payload", "signature"), t.split("."), strict=True))
    ),
    "claims changed under an old signature": lambda t: ".".join(
        (
            t.split(".")[0],
            encoded(json.dumps({**parts(t)[1], "sub": "another"})),
            t.split(".")[2],
        )
    ),
    "an empty signature": respelt(lambda h, c, _s: (h, c, "")),
    "a signature cut off": respelt(lambda h, c, s: (h, c, s[:-1])),
    "half a signature": respelt(lambda h, c, s: (h, c, s[:21])),
    "a signature twice": respelt(lambda h, c, s: (h, c, s + s)),
    "a signature in hexadecimal": respelt(lambda h, c, s: (h, c, decoded(s).hex())),
    "padding": respelt(lambda h, c, s: (h, c, s + "=")),
    "other last bits in the signature": respelt(lambda h, c, s: (h, c, last_bits(s))),
    "standard base64": respelt(lambda h, c, s: (h, c, "+" + s[1:])),
    "a space": respelt(lambda h, c, s: (h, c, s[:5] + " " + s[5:])),
    "a tab": respelt(lambda h, c, s: (h, c, s[:5] + "\t" + s[5:])),
    "a full-width digit": respelt(lambda h, c, s: (h, c, s[:-1] + "\uff11")),
    "an Arabic digit": respelt(lambda h, c, s: (h, c, "\u0661" + s)),
    "7,000 characters": lambda t: t + "A" * 7_000,
    "60,000 characters": lambda t: changed(t, {"x": "x" * 45_000}),
}

ATTACKS = ALGORITHMS | HEADERS | CLAIMS | DUPLICATES | SHAPES


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_forged_token_opens_nothing_and_changes_nothing(ann, attack):
    task = ann.create(title="kept")
    token = attack(ann.token)
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}

    body = {"query": CREATE, "variables": {"input": {"title": "forged"}}}
    graphql = ann.api.client.post("/graphql", json=body, headers=headers)
    rest = ann.api.rest("DELETE", f"/api/v1/tasks/{task['id']}", headers=headers)

    assert (graphql.status_code, codes(graphql.json)) == (200, ["UNAUTHENTICATED"])
    assert (rest.status_code, rest.json["code"]) == (401, "UNAUTHENTICATED")
    assert rest.headers["WWW-Authenticate"] == "Bearer"
    assert [task["title"] for task in ann.rest("GET", "/api/v1/tasks").json] == ["kept"]


ELSEWHERE = {
    "jku": "https://evil.example/keys",
    "x5u": "file:///etc/passwd",
    "jwk": {"kty": "oct", "k": "AAAA"},
    "x5c": ["AAAA"],
    "kid": "https://evil.example/keys",
}


@pytest.mark.parametrize(("name", "value"), ELSEWHERE.items(), ids=ELSEWHERE)
@pytest.mark.parametrize("key", [KEY, b"\0\0\0"], ids=["our key", "the key it brings"])
def test_no_key_is_looked_for_where_a_token_says_that_it_is(monkeypatch, name, value, key):
    tokens = Tokens([KEY], ttl=3600)
    header, claims = parts(tokens.issue("user", "session", now()).token)
    opened = []
    monkeypatch.setattr("socket.socket.connect", lambda *given: opened.append(given))
    monkeypatch.setattr("builtins.open", lambda *given, **_: opened.append(given))

    with pytest.raises(Unauthenticated):
        tokens.verify(signed({**header, name: value}, claims, key))

    assert opened == []


# The borders of time, as a process that looks at its clock sees them


@pytest.mark.parametrize(
    ("claim", "offset", "good"),
    [
        ("exp", 0, True),  # within the leeway of ten seconds
        ("exp", -8, True),
        ("exp", -12, False),
        ("nbf", 8, True),
        ("nbf", 12, False),
        ("iat", 8, True),
        ("iat", 12, False),
    ],
)
def test_clocks_may_differ_by_ten_seconds(claim, offset, good):
    tokens = Tokens([KEY], ttl=3600)
    at = int(time.time())
    token = tokens.issue("user", "session", now()).token
    times = {"iat": at - 60, "exp": at + 60} if claim != "iat" else {"exp": at + 60}
    token = changed(token, {**times, claim: at + offset})

    if good:
        assert tokens.verify(token).user_id == "user"
    else:
        with pytest.raises(Unauthenticated):
            tokens.verify(token)


@pytest.mark.parametrize(
    ("lifetime", "good"), [(3600, True), (3601, False), (0, False), (-1, False)]
)
def test_a_token_lives_no_longer_than_ours_do(lifetime, good):
    tokens = Tokens([KEY], ttl=3600)
    token = tokens.issue("user", "session", now()).token
    at = parts(token)[1]["iat"]
    token = changed(token, {"exp": at + lifetime})

    if good:
        assert tokens.verify(token).user_id == "user"
    else:
        with pytest.raises(Unauthenticated):
            tokens.verify(token)


@pytest.mark.parametrize(
    ("length", "good"), [(MAX_HEADER_LENGTH, True), (MAX_HEADER_LENGTH + 1, False)]
)
def test_a_header_has_a_length(length, good):
    tokens = Tokens([KEY], ttl=3600)
    token = tokens.issue("user", "session", now()).token
    spaces = length - len("Bearer") - len(token)
    header = "Bearer" + " " * spaces + token

    if good:
        assert tokens.verify(credentials(header)).user_id == "user"
    else:
        with pytest.raises(Unauthenticated):
            credentials(header)


def test_a_key_that_has_left_the_ring_opens_nothing(ann):
    other = b"another secret of thirty-two bytes or more"

    assert Tokens([other, KEY], ttl=3600).verify(ann.token).user_id == ann.id
    with pytest.raises(Unauthenticated):
        Tokens([other], ttl=3600).verify(ann.token)
    # Nor does a token of the old key under the new one's name, or the other way round.
    for signing, naming in ((KEY, other), (other, KEY)):
        kid = jwt.get_unverified_header(Tokens([naming], 3600).issue("a", "b", now()).token)["kid"]
        token = signed({**parts(ann.token)[0], "kid": kid}, parts(ann.token)[1], signing)
        with pytest.raises(Unauthenticated):
            Tokens([other, KEY], ttl=3600).verify(token)


def test_a_session_is_its_own_users_only(ann, neighbour):
    mine, theirs = parts(ann.token)[1], parts(neighbour.token)[1]
    mixed = [changed(ann.token, {"sid": theirs["sid"]}), changed(ann.token, {"sub": theirs["sub"]})]

    for token in mixed:
        assert codes(ann.api.graphql("{ viewer { id } }", token)) == ["UNAUTHENTICATED"]
        assert ann.api.rest("GET", "/auth/verify", token).status_code == 401
    assert mine["sid"] != theirs["sid"]


def test_two_authorization_headers_are_none(ann):
    api: Api = ann.api
    headers = [("Authorization", f"Bearer {ann.token}")] * 2

    rest = api.client.get("/auth/verify", headers=headers)
    body = {"query": "{ viewer { id } }"}
    graphql = api.client.post("/graphql", json=body, headers=headers)

    assert rest.status_code == 401
    assert codes(graphql.json) == ["UNAUTHENTICATED"]
