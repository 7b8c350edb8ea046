"""The size of an answer, known before it is one text: one document can ask for a lot of it."""

from typing import Any

import orjson

from graphql_api.errors import QueryTooComplex

VALUE_BYTES = 8  # of a number, a boolean, a null, and of the punctuation around any value


class AnswerSize:
    """The bytes that data takes as JSON, without escapes, added up as the answer grows.

    The same text may be there thousands of times, which takes no memory before it is written out.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0

    def add(self, data: Any) -> None:
        """Count some more of the answer. Raises QueryTooComplex beyond the limit."""
        size, stack = self._size, [data]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                size += len(value) if value.isascii() else len(value.encode(errors="replace"))
            elif isinstance(value, dict):
                size += sum(map(len, value))
                stack.extend(value.values())
            elif isinstance(value, list | tuple):
                stack.extend(value)
            size += VALUE_BYTES
            if size > self._limit:
                raise too_large(self._limit)
        self._size = size


def written(body: Any, limit: int) -> bytes:
    """Write a body as JSON of at most so many bytes. Raises QueryTooComplex."""
    AnswerSize(limit).add(body)
    return encoded(body, limit)


def encoded(body: Any, limit: int) -> bytes:
    """Write a body that is known to be of bounded size, but for its escapes, as `written` does."""
    text = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    if len(text) > limit:  # by its escapes
        raise too_large(limit)
    return text


def too_large(limit: int) -> QueryTooComplex:
    """Build the error of an answer with more bytes than are allowed."""
    return QueryTooComplex(
        f"The answer has more than {limit:,} bytes: ask for fewer items, or for less of each."
    )
