"""Who may ask: whoever brings a bearer key; or, where the environment has none, this machine's own programs as well.

A browser is such a program too, and any page in it can send requests here. So without a key the Host must be a loopback
name (another name is a foreign page's, rebound to us), and the Origin of a change must be ourselves.
"""

import hmac
import ipaddress
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from gradyard.jobs.api_keys import PREFIX, Scope
from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from service.http import openapi
from service.http.callers import OPERATOR, Caller
from service.http.scopes import NEEDED
from service.http.services import current_services

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
        g.caller = _caller(key)
        if request.endpoint is None or request.method == "OPTIONS":  # it leads nowhere, or only tells the methods
            return
        if not g.caller.may(needed := NEEDED.get(request.endpoint, Scope.ADMIN)):
            raise Forbidden(f"this is for keys with the scope {needed}; yours has {', '.join(sorted(g.caller.scopes))}")


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _caller(admin_key: str) -> Caller:
    """Whose request this is; Unauthorized or Forbidden where nobody says so whom we know."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    given = given.strip()
    brings_one = scheme.lower() == "bearer"
    if not admin_key and not (brings_one and given.startswith(PREFIX)):  # another key is meant for another service
        _check_caller_is_local()
        return OPERATOR
    if not brings_one:
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard"})
        raise Unauthorized("send a key of this service: Authorization: Bearer KEY", www_authenticate=wanted)
    # In bytes and in constant time: the time of a refusal must not tell how much of a guess was right.
    if admin_key and hmac.compare_digest(given.encode("utf-8", "replace"), admin_key.encode()):
        return OPERATOR
    known = current_services().keys.caller_of(given) if given.startswith(PREFIX) else None
    if known is None:
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard", "error": "invalid_token"})
        raise Unauthorized("that is no key of this service, or not any more", www_authenticate=wanted)
    return known


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
