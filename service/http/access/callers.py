"""The caller of a request: its project, its scopes, and its name in events and holds."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from flask import g

from gradyard.jobs.api_keys import INCLUDED, Scope, digest_of, understood
from gradyard.store import queries
from gradyard.store.database import Database

DEFAULT_PROJECT = 1
FRESH_SECONDS = 2.0  # a key is looked up again after this time, so a revoked key works that long at most
MOST_KNOWN = 10_000


@dataclass(frozen=True)
class Caller:
    """The sender of a request."""

    project_id: int
    project: str
    scopes: frozenset[Scope]
    actor: str  # its name in events and holds
    key: str | None = None  # NAME@PROJECT, for the access log
    digest: str | None = None  # of its key
    session: str | None = None  # the SHA-256 of its token, for a browser that was signed in to the page

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope, or one that includes it."""
        return scope in self.scopes or any(scope in INCLUDED.get(each, ()) for each in self.scopes)

    def may_everywhere(self, scope: Scope) -> bool:
        """Whether the caller has this scope in every project."""
        return self.may(scope) and self.may(Scope.OPERATOR)


ADMINISTRATOR = Caller(DEFAULT_PROJECT, "default", frozenset({Scope.ADMIN, Scope.OPERATOR}), "api")
"""The caller with the key of the environment; where there is none, any program of this machine."""


def current_caller() -> Caller:
    """The caller of the current request."""
    caller: Caller = g.caller
    return caller


class KnownKeys:
    """The caller of each key, in memory for FRESH_SECONDS."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def caller_of(self, secret: str) -> Caller | None:
        """The caller of a key; None where it is unknown, expired or revoked. Raises DatabaseUnavailable."""
        return self._look_up(digest_of(secret))

    def caller_of_digest(self, digest: str) -> Caller | None:
        """The caller of the key with that SHA-256; None where it is unknown, expired or revoked."""
        return self._look_up(digest)

    def _look_up(self, digest: str) -> Caller | None:
        looked_at, known = self._known.get(digest, (float("-inf"), None))
        if known is not None and time.monotonic() - looked_at < FRESH_SECONDS:
            return known
        looked_at = time.monotonic()
        with self._database.read() as connection:
            row = queries.live_key(connection, digest)
        if row is None:
            self._known.pop(digest, None)
            return None
        words = understood(row.scopes)
        scopes = frozenset(scope for scope in Scope if scope in words)  # ignore scopes of a newer version
        named = f"{row.name}@{row.project}"
        caller = Caller(row.project_id, row.project, scopes, f"api:{named}", named, digest)
        self._known[digest] = looked_at, caller
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return caller
