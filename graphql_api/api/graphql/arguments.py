"""What a client gave: absent and null are two things."""

from collections.abc import Mapping
from typing import Any

from strawberry import UNSET


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not absent, a null as None and a list as a tuple."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not UNSET
    }
