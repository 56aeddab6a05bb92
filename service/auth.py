"""Who may ask: one bearer key, or without a key only this machine's own programs.

A browser is such a program too, and any page in it can send requests here. So without a key the Host must be a loopback
name (another name is a foreign page's, rebound to us), and the Origin of a change must be ourselves.
"""

import hmac
import ipaddress
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from jobs.errors import SettingsInvalid
from jobs.settings import Settings
from service import openapi

# What the service can do is no secret, and a browser that shows the documentation can send no key.
OPEN_ENDPOINTS = frozenset({"health.healthz", "health.readyz", *openapi.ENDPOINTS})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask, settings: Settings) -> None:
    """Guard every route but those of OPEN_ENDPOINTS, also those yet to be written, and paths that lead nowhere.

    Raises SettingsInvalid where others than this machine could ask and there is no key.
    """
    key = settings.admin_key.get_secret_value() if settings.admin_key else ""
    if not key and not is_loopback(settings.host):
        where = settings.host or "every address"
        raise SettingsInvalid(f"GRADYARD_ADMIN_KEY: is needed to listen on {where}, where others can ask as well")

    @app.before_request
    def guard() -> None:
        if request.endpoint in OPEN_ENDPOINTS:
            return
        if key:
            _check_key(key)
        else:
            _check_caller_is_local()


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_key(key: str) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard"})
        raise Unauthorized("send the service's key: Authorization: Bearer KEY", www_authenticate=wanted)
    # In bytes and in constant time: the time of a refusal must not tell how much of a guess was right.
    if not hmac.compare_digest(given.strip().encode("utf-8", "replace"), key.encode()):
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard", "error": "invalid_token"})
        raise Unauthorized("that is not the service's key", www_authenticate=wanted)


def _check_caller_is_local() -> None:
    host = request.environ.get("HTTP_HOST", "")
    if not _names_loopback(f"//{host}"):
        raise Forbidden(f"without a key, the service answers to localhost and loopback addresses only, not to {host!r}")
    address = request.environ.get("REMOTE_ADDR", "")
    if address and not is_loopback(address):  # a unix socket has none
        raise Forbidden("without a key, the service answers to programs of its own machine only")
    origin = request.headers.get("Origin")
    if origin is not None and request.method not in SAFE_METHODS and origin != f"{request.scheme}://{host}":
        raise Forbidden(f"without a key, pages of {origin!r} may not change anything here")


def _names_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
        return parts.username is None and is_loopback(parts.hostname or "")
    except ValueError:
        return False
