"""How large a request's body may be, and how deep its JSON may be nested."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.infra.serving.body_limits import BODY_BYTES, fits, within


@pytest.mark.parametrize(
    ("content_length", "expected"),
    [
        ("0", True),
        (str(BODY_BYTES), True),
        (str(BODY_BYTES + 1), False),
        ("000000" + str(BODY_BYTES), True),
        ("9" * 5000, False),
        ("", False),
        ("-1", False),
        ("+1", False),
        ("1.0", False),
        ("0x10", False),
        ("1_0", False),
    ],
)
def test_a_content_length_fits_if_it_is_a_number_of_at_most_64_kib(content_length, expected):
    assert fits(content_length) is expected


@settings(deadline=None)
@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    levels=st.integers(0, 5),
)
def test_the_levels_of_a_json_value_are_counted(value, levels):
    def depth(value):
        if isinstance(value, dict):
            value = list(value.values())
        return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0

    assert within(value, levels) == (depth(value) <= levels)
