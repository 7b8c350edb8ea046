"""The schema may grow, but what clients rely on stays."""

import re

from evolution import changes
from graphql import build_schema
from graphql.utilities import BreakingChangeType

from graphql_api.api.graphql.schema import SCHEMA


def test_nothing_that_was_released_is_broken():
    breaking = [change for change in changes() if isinstance(change.type, BreakingChangeType)]

    assert [change.description for change in breaking] == []


def test_a_deprecation_says_why_and_until_when():
    deprecated = re.findall(r"@deprecated(?:\(reason: \"(.*?)\"\))?", SCHEMA.as_str())

    assert [reason for reason in deprecated if not re.search(r"\b20\d\d-\d\d-\d\d\b", reason)] == []


def test_the_exported_schema_can_be_built():
    assert build_schema(SCHEMA.as_str()).query_type.name == "Query"
