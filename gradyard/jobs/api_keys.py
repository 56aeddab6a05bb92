"""API keys: their scopes, their random text, and what of it is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from enum import StrEnum

PREFIX = "gradyard_"  # by which scanners of code and logs recognise a leaked key
SECRET_BYTES = 32
HINT_LETTERS = 6
LIVE_KEYS = 2  # of one name in one project: the old one and its successor


class Scope(StrEnum):
    """What a key may do. `admin`: everything in its project, also to the jobs of others, and its keys.

    `operator`: the service as a whole: its workers and queues, and to see every project. Both together are the
    administrator's, who makes keys for all projects. `files:write`: send files in, and delete them.
    """

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    FILES_WRITE = "files:write"
    METRICS_READ = "metrics:read"
    OPERATOR = "operator"
    ADMIN = "admin"


INCLUDED = {
    Scope.ADMIN: frozenset({Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.FILES_WRITE}),
    Scope.OPERATOR: frozenset({Scope.JOBS_READ, Scope.METRICS_READ}),
}
"""What a scope opens beside itself."""

# In the database, `admin` is what it was in the first versions: of the whole service. So their keys keep what they
# open, and a version that does not know this word gives a project's administrator nothing more.
_STORED = {Scope.ADMIN: "admin:project"}


def stored(scopes: Iterable[Scope]) -> list[str]:
    """Scopes as words of the database."""
    return sorted({_STORED.get(scope, scope.value) for scope in scopes})


def understood(words: Iterable[str]) -> list[str]:
    """Words of the database as scopes; those of a newer version stay as they are."""
    of_word: dict[str, list[str]] = {word: [scope] for scope, word in _STORED.items()}
    of_word["admin"] = [Scope.ADMIN, Scope.OPERATOR]
    return sorted({str(scope) for word in words for scope in of_word.get(word, [word])})


def new_secret() -> str:
    """A new key: 256 random bits after a prefix."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hint_of(secret: str) -> str:
    """The first characters of the key; the rest cannot be guessed from them."""
    return secret[: len(PREFIX) + HINT_LETTERS]


def digest_of(secret: str) -> str:
    """The stored digest of a key. One round of SHA-256 is enough: 256 random bits cannot be tried one by one."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
