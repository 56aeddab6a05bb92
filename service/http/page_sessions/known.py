"""Sessions of the page: whose key signed a browser in, looked up with the request."""

import contextlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.api_keys import PREFIX, SECRET_BYTES, digest_of
from gradyard.jobs.errors import DatabaseUnavailable, StorageFull
from gradyard.jobs.settings import Settings
from gradyard.store import page_sessions
from gradyard.store.database import Database
from gradyard.store.queries.api_keys import live_key
from gradyard.store.queries.page.sessions import page_session
from service.http.access.callers import ADMINISTRATOR, FRESH_SECONDS, MOST_KNOWN, Caller, KnownKeys

NOTED_EVERY_SECONDS = 60.0


class KnownSessions:
    """The callers of sessions, each in memory for FRESH_SECONDS."""

    def __init__(self, database: Database, keys: KnownKeys, settings: Settings) -> None:
        self._database, self._keys = database, keys
        self._admin_key = settings.admin_key.get_secret_value() if settings.admin_key else ""
        self._idle_seconds = settings.page_idle_hours * 3600
        self._known: OrderedDict[str, tuple[float, Row[Any]]] = OrderedDict()

    def caller_of_key(self, key: str) -> Caller | None:
        """The caller whom this key would sign in; None where it is unknown, expired or revoked."""
        if self._is_administrators(key):
            return ADMINISTRATOR
        return self._keys.caller_of(key) if key.startswith(PREFIX) else None

    def sign_in(self, key: str) -> str | None:
        """The token of a new session of this key; None where the key is unknown, expired or revoked."""
        token, key_id, check = secrets.token_urlsafe(SECRET_BYTES), None, None
        if self._is_administrators(key):
            check = self._admin_check(token)
        elif key.startswith(PREFIX):
            with self._database.read() as connection:
                row = live_key(connection, digest_of(key))
            key_id = None if row is None else row.id
        if key_id is None and check is None:
            return None
        with self._database.begin() as connection:
            page_sessions.open_session(
                connection, digest_of(token), key_id=key_id, admin_check=check, idle_seconds=self._idle_seconds
            )
        return token

    def sign_out(self, token: str) -> None:
        """End the session of this token. Other processes notice it FRESH_SECONDS later."""
        digest = digest_of(token)
        with self._database.begin() as connection:
            page_sessions.end_session(connection, digest)
        self._known.pop(digest, None)

    def caller_of(self, token: str) -> Caller | None:
        """The caller of a session; None where it ended, or its key did. Raises DatabaseUnavailable."""
        digest = digest_of(token)
        row = self._look_up(digest)
        if row is None:
            return None
        known: Caller | None = ADMINISTRATOR
        if row.admin_check is None:
            known = self._keys.caller_of_digest(row.key_sha256)
        elif not (self._admin_key and hmac.compare_digest(row.admin_check, self._admin_check(token))):
            known = None
        return known and replace(known, session=digest)

    def still_opens(self, caller: Caller) -> bool:
        """Whether the session of a long request, if it has one, and its key are still valid."""
        if caller.session is not None and self._look_up(caller.session) is None:
            return False
        return caller.digest is None or self._keys.caller_of_digest(caller.digest) is not None

    def _look_up(self, digest: str) -> Row[Any] | None:
        looked_at, known = self._known.get(digest, (float("-inf"), None))
        if known is not None and time.monotonic() - looked_at < FRESH_SECONDS:
            return known
        looked_at = time.monotonic()
        with self._database.read() as connection:
            row = page_session(connection, digest, self._idle_seconds)
        if row is None:
            self._known.pop(digest, None)
            return None
        self._note_use(digest, row)
        self._known[digest] = looked_at, row
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return row

    def _note_use(self, digest: str, row: Row[Any]) -> None:
        if row.read_at - row.used_at > NOTED_EVERY_SECONDS:
            # A database that takes no writes is still read.
            with contextlib.suppress(DatabaseUnavailable, StorageFull), self._database.begin() as connection:
                page_sessions.note_use(connection, digest)

    def _is_administrators(self, key: str) -> bool:
        return bool(self._admin_key) and hmac.compare_digest(key.encode("utf-8", "replace"), self._admin_key.encode())

    def _admin_check(self, token: str) -> str:
        return hmac.new(token.encode(), self._admin_key.encode(), "sha256").hexdigest()
