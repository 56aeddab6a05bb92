"""API keys: their scopes, their random text, and what of it is stored."""

import hashlib
import secrets
from enum import StrEnum

PREFIX = "gradyard_"  # by which scanners of code and logs recognise a leaked key
SECRET_BYTES = 32
HINT_LETTERS = 6
LIVE_KEYS = 2  # of one name in one project: the old one and its successor


class Scope(StrEnum):
    """What a key may do. `operator`: with workers, queues and precedence of the whole service; `admin`: everything."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    METRICS_READ = "metrics:read"
    OPERATOR = "operator"
    ADMIN = "admin"


def new_secret() -> str:
    """A new key: 256 random bits after a prefix."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hint_of(secret: str) -> str:
    """The first characters of the key; the rest cannot be guessed from them."""
    return secret[: len(PREFIX) + HINT_LETTERS]


def digest_of(secret: str) -> str:
    """The stored digest of a key. One round of SHA-256 is enough: 256 random bits cannot be tried one by one."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
