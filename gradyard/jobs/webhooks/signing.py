"""Secrets and signatures, as Standard Webhooks has them (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"  # by which scanners of code and logs recognise a leaked secret
NEW_BYTES = 32
FEWEST_BYTES, MOST_BYTES = 24, 64


def new_secret() -> str:
    """A new secret: 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_BYTES)).decode()


def what_is_wrong(secret: str) -> str | None:
    """Why the text is no secret; None where it is one."""
    form = f"must be {PREFIX} and {FEWEST_BYTES} to {MOST_BYTES} random bytes in base64"
    if not secret.startswith(PREFIX):
        return form
    try:
        key = _key(secret)
    except binascii.Error:
        return form
    return None if FEWEST_BYTES <= len(key) <= MOST_BYTES else f"{form}, not {len(key)}"


def signed_headers(message_id: str, at: int, body: bytes, using: Iterable[str]) -> dict[str, str]:
    """The three headers of a message. at: when it is sent, in whole seconds since 1970.

    using: its secret; with an earlier one, while that is still valid, there are two signatures.
    """
    signed = f"{message_id}.{at}.".encode() + body
    digests = (hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in using)
    signatures = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signatures}


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
