"""Limits of a request's body: its size in bytes, and how deep its JSON may be nested."""

from typing import Any

BODY_BYTES = 64 * 1024
JSON_NESTING = 16  # levels of lists and objects; the schema's own inputs need 8


def fits(content_length: str) -> bool:
    """Return whether a Content-Length is a number of at most BODY_BYTES."""
    # int() refuses numbers of thousands of digits: look at the length of the text first.
    is_short = len(content_length.lstrip("0")) <= len(str(BODY_BYTES))
    return content_length.isdecimal() and is_short and int(content_length) <= BODY_BYTES


def within(value: Any, levels: int) -> bool:
    """Return whether the lists and objects of a JSON value are nested at most `levels` deep."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [item for item in layer if isinstance(item, dict | list)]
        if not containers:
            return True
        layer = [
            item
            for container in containers
            for item in (container.values() if isinstance(container, dict) else container)
        ]
    return False
