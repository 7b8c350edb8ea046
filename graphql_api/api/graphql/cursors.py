"""Cursors: positions in a list as opaque, signed texts."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from graphql_api.domain.paging import Window
from graphql_api.errors import FIELD, BadUserInput

MAC_BYTES = 16


class Cursors:
    """Signs and verifies cursors; each is valid for one scope: one user's list in one order."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        # The first signs; the others only verify, while keys are rotated.
        self._keys = [hmac.digest(secret, b"cursor", hashlib.sha256) for secret in secrets]

    def seal(self, position: str, scope: str) -> str:
        """The cursor of a position."""
        mac = _mac(self._keys[0], position, scope)
        return base64.urlsafe_b64encode(mac + position.encode()).decode().rstrip("=")

    def open(self, cursor: str, scope: str, field: str) -> str:
        """The position of a cursor. Raises BadUserInput if it is not of this scope."""
        try:
            raw = base64.b64decode(
                cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True
            )
            mac, position = raw[:MAC_BYTES], raw[MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            mac, position = b"", ""
        if not any(hmac.compare_digest(mac, _mac(key, position, scope)) for key in self._keys):
            raise BadUserInput(f"{FIELD} is not a cursor of this list.", field)
        return position

    def open_window(self, window: Window, scope: str) -> str | None:
        """The position of a window's cursor, if it has one. Raises BadUserInput."""
        if window.cursor is None:
            return None
        return self.open(window.cursor, scope, "before" if window.backward else "after")


def _mac(key: bytes, position: str, scope: str) -> bytes:
    return hmac.digest(key, f"{scope}\0{position}".encode(), hashlib.sha256)[:MAC_BYTES]
