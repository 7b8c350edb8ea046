"""Documents that clients name by their SHA-256 instead of sending them.

Automatic persisted queries, as Apollo's clients send them: a client sends the hash alone and, if
that is unknown, once more with the text. Trusted documents: a file lists all documents that may be
executed, and everything else is refused.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from graphql_api.errors import BadUserInput, Forbidden, PersistedQueryNotFound, StartError

MAX_DOCUMENTS = 1_000  # that clients register, in each process
MAX_CHARACTERS = 4 * 1024 * 1024  # of all of them


class PersistedDocuments:
    """Documents by their hashes: the registered ones, or the trusted ones; safe under threads."""

    def __init__(self, trusted: Path | None = None) -> None:
        """`trusted` is a file of documents; then no others are executed. Raises StartError."""
        self._trusted = None if trusted is None else _read(trusted)
        self._registered: OrderedDict[str, str] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def resolve(self, query: str | None, extensions: Mapping[str, Any]) -> str:
        """Return the text of the document of a request.

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
            if digest not in self._registered:
                raise PersistedQueryNotFound("PersistedQueryNotFound")
            self._registered.move_to_end(digest)
            return self._registered[digest]

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

    def register(self, query: str, extensions: Mapping[str, Any]) -> None:
        """Keep a document that was validated under the hash that its request names, if any."""
        digest = _digest(extensions)
        if digest is None or self._trusted is not None:
            return
        with self._lock:
            if digest not in self._registered:
                self._registered[digest] = query
                self._characters += len(query)
            while self._characters > MAX_CHARACTERS or len(self._registered) > MAX_DOCUMENTS:
                _, evicted = self._registered.popitem(last=False)
                self._characters -= len(evicted)


def _digest(extensions: Mapping[str, Any]) -> str | None:
    """Read the hash in `extensions.persistedQuery`; None without one. Raises BadUserInput."""
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
    """Read a file's documents by their hashes, and by the ids that it gives them.

    Either `{"<any id>": "<document>", …}`, as graphql-codegen writes it, or Apollo's operation
    manifest, `{"operations": [{"body": "<document>", …}, …]}`.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StartError(f"TRUSTED_DOCUMENTS {path} cannot be read: {error}") from None
    documents: dict[Any, Any] = {}
    if isinstance(content, dict):
        operations = content.get("operations")
        documents = content
        if isinstance(operations, list):
            documents = {o.get("id"): o.get("body") for o in operations if isinstance(o, dict)}
    if not documents or not all(isinstance(text, str) for text in documents.values()):
        raise StartError(f"TRUSTED_DOCUMENTS {path} is no manifest of documents by their hash")
    by_id = {str(name).lower(): text for name, text in documents.items()}
    return by_id | {_sha256(text): text for text in documents.values()}
