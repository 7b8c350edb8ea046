import os
from dataclasses import replace
from pathlib import Path

import pytest

from graphql_api.config import WELL_KNOWN_SECRETS, Config, Limits
from graphql_api.errors import StartError

SECRET = "0123456789abcdefghijklmnopqrstuv"
OTHER = "vutsrqponmlkjihgfedcba9876543210"


def refusal(**environ) -> str:
    """What is wrong with these variables."""
    with pytest.raises(StartError) as caught:
        Config.from_env(environ)
    return str(caught.value)


def test_without_any_variable_it_is_the_embedded_mode_with_everything_for_trying_out():
    config = Config.from_env({})

    assert config == Config(
        host="127.0.0.1",
        port=5000,
        workers=os.cpu_count() or 1,
        threads=4,
        drain_seconds=1,
        dynamodb="embedded",
        data_dir=Path.cwd() / "data",
        table_prefix="",
        jwt_secret=b"",
        jwt_previous_secret=b"",
        jwt_ttl=3600,
        graphiql=True,
        introspection=True,
        cors_origins=(),
        engine_url="",
        argon2_profile="RFC_9106_LOW_MEMORY",
        trusted_documents=None,
        graphql_http="2025",
        trusted_proxies=0,
    )
    assert config.embedded


NEAR = ["embedded", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"]
FAR = ["aws", "http://store:8000", "https://dynamodb.eu-central-1.amazonaws.com"]


@pytest.mark.parametrize(
    ("store", "concurrency"), [*((store, 8) for store in NEAR), *((store, 64) for store in FAR)]
)
def test_a_store_elsewhere_is_asked_for_more_requests_at_once(store, concurrency):
    environ = {"DYNAMODB": store, "JWT_SECRET": "x7" * 5 + "a secret of the test suite"}

    assert Config.from_env(environ).concurrency == concurrency


@pytest.mark.parametrize("store", ["aws", "http://127.0.0.1:8000", "https://store.example"])
def test_on_any_other_store_the_tools_are_off_unless_they_are_asked_for(store):
    environ = {"DYNAMODB": store, "JWT_SECRET": SECRET}

    config = Config.from_env(environ)
    asked = Config.from_env({**environ, "GRAPHIQL": "1", "INTROSPECTION": "1"})

    assert (config.embedded, config.graphiql, config.introspection) == (False, False, False)
    assert (asked.graphiql, asked.introspection) == (True, True)
    assert config.drain_seconds == 5  # for a balancer to see that it leaves


def test_the_tools_can_be_switched_off_one_by_one():
    no_page = Config.from_env({"GRAPHIQL": "0"})
    no_introspection = Config.from_env({"INTROSPECTION": "0"})

    assert (no_page.graphiql, no_page.introspection) == (False, True)
    assert (no_introspection.graphiql, no_introspection.introspection) == (True, False)


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),  # noqa: S104 - a text like any other here
        ("HOST", "::1", "host", "::1"),
        ("PORT", "0", "port", 0),
        ("PORT", "65535", "port", 65535),
        ("PORT", " 8080 ", "port", 8080),
        ("PORT", "", "port", 5000),
        ("PORT", "   ", "port", 5000),
        ("WORKERS", "1", "workers", 1),
        ("WORKERS", "256", "workers", 256),
        ("THREADS", "1", "threads", 1),
        ("THREADS", "256", "threads", 256),
        ("DRAIN_SECONDS", "0", "drain_seconds", 0),
        ("DRAIN_SECONDS", "60", "drain_seconds", 60),
        ("DATA_DIR", "/var/lib/tasks", "data_dir", Path("/var/lib/tasks")),
        ("DATA_DIR", "here", "data_dir", Path.cwd() / "here"),
        ("DATA_DIR", "~/tasks", "data_dir", Path.home() / "tasks"),
        ("TABLE_PREFIX", "dev-1_a.", "table_prefix", "dev-1_a."),
        ("TABLE_PREFIX", "x" * 64, "table_prefix", "x" * 64),
        ("JWT_SECRET", SECRET, "jwt_secret", SECRET.encode()),
        ("JWT_SECRET", "é" * 12 + SECRET[:8], "jwt_secret", ("é" * 12 + SECRET[:8]).encode()),
        ("JWT_SECRET", SECRET[:24] + SECRET[:24], "jwt_secret", SECRET[:24].encode() * 2),
        ("JWT_PREVIOUS_SECRET", OTHER, "jwt_previous_secret", OTHER.encode()),
        ("JWT_TTL", "60", "jwt_ttl", 60),
        ("JWT_TTL", "2592000", "jwt_ttl", 2_592_000),
        ("GRAPHIQL", "1", "graphiql", True),
        ("PLAN_PAGE", "0", "plan_page", False),
        ("INTROSPECTION", "0", "introspection", False),
        ("CORS_ORIGINS", "https://app.example", "cors_origins", ("https://app.example",)),
        (
            "CORS_ORIGINS",
            " https://app.example/ , http://localhost:3000,, ",
            "cors_origins",
            ("https://app.example", "http://localhost:3000"),
        ),
        ("CORS_ORIGINS", " , ", "cors_origins", ()),
        (
            "TRUSTED_DOCUMENTS",
            "/etc/documents.json",
            "trusted_documents",
            Path("/etc/documents.json"),
        ),
        ("TRUSTED_DOCUMENTS", "d.json", "trusted_documents", Path.cwd() / "d.json"),
        ("TRUSTED_PROXIES", "0", "trusted_proxies", 0),
        ("TRUSTED_PROXIES", "10", "trusted_proxies", 10),
        ("GRAPHQL_HTTP", "2025", "graphql_http", "2025"),
        ("GRAPHQL_HTTP", "2026", "graphql_http", "2026"),
        ("LOG_LEVEL", "WARNING", "log_level", "WARNING"),
        ("LOG_LEVEL", "warning", "log_level", "WARNING"),
        ("LOG_LEVEL", "Error", "log_level", "ERROR"),
        ("MAX_TOKENS", "2000", "limits", Limits(tokens=2_000)),
        ("MAX_DEPTH", "3", "limits", Limits(depth=3)),
        ("MAX_FIELDS", "4", "limits", Limits(fields=4)),
        ("MAX_ALIASES", "0", "limits", Limits(aliases=0)),
        ("MAX_ROOT_FIELDS", "1", "limits", Limits(root_fields=1)),
        ("MAX_DIRECTIVES", "9", "limits", Limits(directives=9)),
        ("COMPILED_OPERATIONS", "0", "compiled_operations", False),
    ],
)
def test_a_variable_sets_its_field_and_nothing_else(variable, text, field, value):
    config = Config.from_env({variable: text})

    assert config == replace(Config.from_env({}), **{field: value})


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("aws", None),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://dynamodb.example", "https://dynamodb.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_store_is_an_endpoint_or_the_regions_own(text, endpoint):
    config = Config.from_env({"DYNAMODB": text, "JWT_SECRET": SECRET})

    assert (config.endpoint, config.jwt_secret) == (endpoint, SECRET.encode())


def test_the_embedded_modes_endpoint_is_its_engines():
    config = Config.from_env({"DYNAMODB": "embedded"})

    assert replace(config, engine_url="http://127.0.0.1:1").endpoint == "http://127.0.0.1:1"


BAD = {
    "LOG_LEVEL": ["DEBUG", "warn", "1", "\u0131nfo"],
    "PORT": [
        "-1",
        "65536",
        "http",
        "80.0",
        "+80",
        "8_0",
        "\u0668\u0660",
        "0x50",
        "8 0",
        "9" * 5000,
    ],
    "WORKERS": ["0", "257", "many"],
    "THREADS": ["0", "257", "-4"],
    "DRAIN_SECONDS": ["-1", "61", "0.5", "1s"],
    "JWT_TTL": ["59", "2592001", "1h"],
    "GRAPHIQL": ["yes", "true", "2", "on"],
    "PLAN_PAGE": ["no", "off"],
    "INTROSPECTION": ["no", "false", "01"],
    "COMPILED_OPERATIONS": ["no"],
    "TABLE_PREFIX": ["x" * 65, "a b", "a/b", "é", "a:b"],
    "JWT_SECRET": [
        *(SECRET[:31], "é" * 15, "short", "a" * 32, "1234567" * 10, "your-256-bit-secret-" * 2),
        *(SECRET[:23] * 2, SECRET[:23] + SECRET[:9]),
        *(secret.decode() for secret in sorted(WELL_KNOWN_SECRETS)),
    ],
    "JWT_PREVIOUS_SECRET": [SECRET[:31], "a" * 32],
    "DYNAMODB": [
        *("AWS", "local", "127.0.0.1:8000", "ftp://a", "http://", "http://[::1"),
        *("http://127.0.0.1:65536", "http://127.0.0.1:port"),
    ],
    "DATA_DIR": ["~nobody-of-this-name/data"],
    "TRUSTED_DOCUMENTS": ["~nobody-of-this-name/documents.json"],
    "TRUSTED_PROXIES": ["-1", "11", "all", "10.0.0.0/8"],
    "GRAPHQL_HTTP": ["2024", "draft", "latest"],
    "CORS_ORIGINS": [
        *("*", "null", "app.example", "ftp://a.example", "https://", "https://["),
        *("https://a.example/app", "https://a.example?x", "https://a.example, b"),
        # The library behind it takes a text with an asterisk for a regular expression.
        *("https://*.example.com", "https://a.example#x", "https://u@a.example"),
    ],
}


@pytest.mark.parametrize(
    ("variable", "text"), [(variable, text) for variable, texts in BAD.items() for text in texts]
)
def test_a_bad_value_stops_the_start_with_one_line_that_names_it(variable, text):
    told = refusal(**{"JWT_SECRET": SECRET, variable: text})

    assert told.startswith(f"{variable} ")
    assert "\n" not in told
    assert not any(f"{other} " in told for other in BAD if other not in variable)


def test_the_metrics_have_a_port_of_their_own():
    assert refusal(METRICS_PORT="5000") == "METRICS_PORT must differ from PORT (5000)"
    assert "METRICS_PORT" in refusal(METRICS_PORT="5000", HOST="::")
    assert Config.from_env({"METRICS_PORT": "5000", "HOST": "192.0.2.1"}).metrics_port == 5000
    assert Config.from_env({"METRICS_PORT": "0", "PORT": "0"}).metrics_port == 0


def test_all_problems_are_told_at_once():
    told = refusal(DYNAMODB="aws", PORT="http", GRAPHIQL="yes", JWT_TTL="1h", THREADS="8")

    assert told == (
        "PORT must be a whole number from 0 to 65535, not 'http'; "
        "JWT_TTL must be a whole number from 60 to 2592000, not '1h'; "
        "GRAPHIQL must be 0 or 1, not 'yes'; "
        "JWT_SECRET is required with DYNAMODB=aws (at least 32 bytes)"
    )


@pytest.mark.parametrize("store", ["aws", "http://127.0.0.1:8000"])
@pytest.mark.parametrize("secret", [{}, {"JWT_SECRET": ""}, {"JWT_SECRET": "   "}], ids=str)
def test_only_the_embedded_mode_starts_without_a_secret(store, secret):
    assert refusal(DYNAMODB=store, **secret) == (
        f"JWT_SECRET is required with DYNAMODB={store} (at least 32 bytes)"
    )
    assert Config.from_env(secret).jwt_secret == b""


def test_secrets_are_not_shown_by_the_configuration():
    config = Config.from_env({"JWT_SECRET": SECRET, "JWT_PREVIOUS_SECRET": OTHER})

    assert (config.jwt_secret, config.jwt_previous_secret) == (SECRET.encode(), OTHER.encode())
    assert SECRET not in repr(config)
    assert OTHER not in repr(config)


@pytest.mark.parametrize("secret", ["tooshort-hunter2", "hunter2" * 10])
def test_a_refused_secret_is_not_shown_by_the_error(secret):
    told = refusal(JWT_SECRET=secret, JWT_PREVIOUS_SECRET=secret)

    assert told.startswith("JWT_SECRET ")
    assert "; JWT_PREVIOUS_SECRET " in told
    assert "hunter2" not in told
