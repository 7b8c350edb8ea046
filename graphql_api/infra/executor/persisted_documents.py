"""Documents that clients name by their SHA-256 instead of sending them.

Automatic persisted queries, as Apollo's clients speak them: a client sends the hash alone and,
if that is not known, once more with the text. Trusted documents: a file names all documents
that may be executed, and everything else is refused.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from graphql_api.errors import BadUserInput, Forbidden, PersistedQueryNotFound, StartError

REMEMBERED = 1_000  # documents that clients have taught a process
REMEMBERED_CHARACTERS = 4 * 1024 * 1024  # of them


class Documents:
    """The documents that this process knows by their hash; one instance, all threads."""

    def __init__(self, trusted: Path | None = None) -> None:
        """With a file of trusted documents, only those. Raises StartError."""
        self._trusted = None if trusted is None else _read(trusted)
        self._taught: OrderedDict[str, str] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def text(self, query: str | None, extensions: Mapping[str, Any]) -> str:
        """The document that a request means.

        Raises BadUserInput, PersistedQueryNotFound, and Forbidden for one that is not trusted.
        """
        digest = _digest(extensions)
        if self._trusted is not None:
            return self._trusted_text(query, digest)
        if digest is None:
            if not query:
                raise BadUserInput("query must be a GraphQL document.", "query")
            return query
        if query:
            if _sha256(query) != digest:
                raise BadUserInput("sha256Hash is not the hash of query.", "sha256Hash")
            return query
        with self._lock:
            if digest not in self._taught:
                raise PersistedQueryNotFound("PersistedQueryNotFound")
            self._taught.move_to_end(digest)
            return self._taught[digest]

    def _trusted_text(self, query: str | None, digest: str | None) -> str:
        trusted = self._trusted or {}
        if query:
            digest = _sha256(query)
        elif digest is None:
            raise BadUserInput("query must be a GraphQL document.", "query")
        elif digest not in trusted:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        if digest not in trusted:
            raise Forbidden("Only trusted documents are executed here.")
        return trusted[digest]

    def remember(self, query: str, extensions: Mapping[str, Any]) -> None:
        """Know a document by its hash from now on, after it has proved to be executable."""
        digest = _digest(extensions)
        if digest is None or self._trusted is not None:
            return
        with self._lock:
            if digest not in self._taught:
                self._taught[digest] = query
                self._characters += len(query)
            while self._characters > REMEMBERED_CHARACTERS or len(self._taught) > REMEMBERED:
                _, forgotten = self._taught.popitem(last=False)
                self._characters -= len(forgotten)


def _digest(extensions: Mapping[str, Any]) -> str | None:
    """The hash in `extensions.persistedQuery`, if a request has one."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise BadUserInput("persistedQuery must have version 1.", "persistedQuery")
    digest = persisted.get("sha256Hash")
    if not isinstance(digest, str):
        raise BadUserInput("sha256Hash must be a text.", "sha256Hash")
    return digest.lower()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, str]:
    """The documents of a file by their hash, and by the id that the file gives them.

    Either `{"<any id>": "<document>", …}`, as graphql-codegen writes it, or Apollo's operation
    manifest, `{"operations": [{"body": "<document>", …}, …]}`.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StartError(f"TRUSTED_DOCUMENTS {path} cannot be read: {error}") from None
    found: dict[Any, Any] = {}
    if isinstance(content, dict):
        operations = content.get("operations")
        found = content
        if isinstance(operations, list):
            found = {o.get("id"): o.get("body") for o in operations if isinstance(o, dict)}
    if not found or not all(isinstance(text, str) for text in found.values()):
        raise StartError(f"TRUSTED_DOCUMENTS {path} is no manifest of documents by their hash")
    by_id = {str(name).lower(): text for name, text in found.items()}
    return by_id | {_sha256(text): text for text in found.values()}
