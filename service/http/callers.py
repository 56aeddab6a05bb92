"""Who asks: whose rows a request may see, what it may do, and what its changes are signed with."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from flask import g

from gradyard.jobs.api_keys import Scope, digest_of
from gradyard.store import queries
from gradyard.store.database import Database

DEFAULT_PROJECT = 1
FRESH_SECONDS = 2.0  # so long a key is not looked up again: one that is revoked opens nothing after them
MOST_KNOWN = 10_000


@dataclass(frozen=True)
class Caller:
    """Whoever sent the present request."""

    project_id: int
    scopes: frozenset[Scope]
    actor: str  # in events and holds
    key: str | None = None  # NAME@PROJECT, in the log
    digest: str | None = None  # of its key

    def may(self, scope: Scope) -> bool:
        """Whether this is one of its scopes, or it has all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


OPERATOR = Caller(DEFAULT_PROJECT, frozenset({Scope.ADMIN}), "api")
"""Who has the key of the environment; or, where there is none, a program of this machine."""


def current_caller() -> Caller:
    """Of the present request, which its guard has let in."""
    found: Caller = g.caller
    return found


class KnownKeys:
    """Whom each key stands for, in memory for a short while."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def caller_of(self, secret: str) -> Caller | None:
        """Whose key this is; None where it is nobody's, or not any more. DatabaseUnavailable where nobody can tell."""
        return self._behind(digest_of(secret))

    def still_opens(self, caller: Caller) -> bool:
        """Whether a request that takes long may go on: its key may have been revoked meanwhile."""
        return caller.digest is None or self._behind(caller.digest) is not None

    def _behind(self, digest: str) -> Caller | None:
        looked_at, known = self._known.get(digest, (float("-inf"), None))
        if known is not None and time.monotonic() - looked_at < FRESH_SECONDS:
            return known
        looked_at = time.monotonic()
        with self._database.read() as connection:
            row = queries.live_key(connection, digest)
        if row is None:
            self._known.pop(digest, None)
            return None
        scopes = frozenset(scope for scope in Scope if scope in row.scopes)  # a newer version's are none of ours
        named = f"{row.name}@{row.project}"
        signed = Caller(row.project_id, scopes, f"api:{named}", named, digest)
        self._known[digest] = looked_at, signed
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return signed
