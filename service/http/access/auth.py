"""Access: requests need a bearer key. A service without GRADYARD_ADMIN_KEY also serves programs of its own machine.

A browser is such a program, and any page in it can send requests here. So a request without a key must name a loopback
host (another name means that a page of another site was rebound to this address), and a change must have this service
as its Origin.
"""

import hmac
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from gradyard.jobs.access import is_loopback, open_without_a_key
from gradyard.jobs.api_keys import PREFIX, Scope
from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from service.http.access.callers import ADMINISTRATOR, Caller
from service.http.access.projects import in_project
from service.http.access.scopes import NEEDED, PAGE, PAGE_PARTS
from service.http.document.page import ENDPOINTS as DOCUMENTATION
from service.http.page_sessions import cookie
from service.http.services import current_services

# The documentation holds no secrets, and a browser that shows it cannot send a key.
OPEN_ENDPOINTS = frozenset({"health.healthz", "health.readyz", *DOCUMENTATION, *PAGE_PARTS})


def install(app: Flask, settings: Settings) -> None:
    """Guard every route except OPEN_ENDPOINTS, unknown paths included.

    Raises SettingsInvalid where other machines could reach the service and it has no key.
    """
    key = settings.admin_key.get_secret_value() if settings.admin_key else ""
    if open_door := open_without_a_key(settings):
        raise SettingsInvalid(f"GRADYARD_ADMIN_KEY: the service needs a key: {open_door}")

    @app.before_request
    def guard() -> None:
        if request.endpoint in OPEN_ENDPOINTS:
            if request.endpoint == "health.readyz" and not key:
                _check_host_is_loopback()
            return
        g.caller = _caller(key)
        if request.endpoint is None or request.method == "OPTIONS":  # an unknown path, or a question for the methods
            return
        if not g.caller.may(needed := NEEDED.get(request.endpoint, Scope.OPERATOR)):
            raise Forbidden(f"this is for keys with the scope {needed}; yours has {', '.join(sorted(g.caller.scopes))}")
        if (project := request.args.get("project")) is not None:
            g.caller = in_project(g.caller, project)


def _caller(admin_key: str) -> Caller:
    """The caller of this request; Unauthorized or Forbidden where it has no valid key and needs one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    given = given.strip()
    has_bearer = scheme.lower() == "bearer"
    if not admin_key and not (has_bearer and given.startswith(PREFIX)):  # other keys are of other services
        _check_caller_is_local()
        return ADMINISTRATOR
    if token := cookie.token_sent():
        return _signed_in(token)
    if not has_bearer:
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard"})
        raise Unauthorized("send a key of this service: Authorization: Bearer KEY", www_authenticate=wanted)
    # In bytes and in constant time: the time of a refusal must not tell how much of a guess was right.
    if admin_key and hmac.compare_digest(given.encode("utf-8", "replace"), admin_key.encode()):
        return ADMINISTRATOR
    known = current_services().keys.caller_of(given) if given.startswith(PREFIX) else None
    if known is None:
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard", "error": "invalid_token"})
        raise Unauthorized("the key is not valid: it is unknown, expired or revoked", www_authenticate=wanted)
    return known


def _signed_in(token: str) -> Caller:
    """The caller of a browser that was signed in to the page."""
    cookie.check_same_origin(may_be_a_link=request.blueprint == PAGE)
    known = current_services().sessions.caller_of(token)
    if known is None:
        wanted = WWWAuthenticate("bearer", {"realm": "gradyard", "error": "invalid_token"})
        raise Unauthorized("the session has ended, or its key has; sign in again", www_authenticate=wanted)
    g.session_token = token
    return known


def _check_caller_is_local() -> None:
    _check_host_is_loopback()
    address = request.environ.get("REMOTE_ADDR", "")
    if address and not is_loopback(address):  # a unix socket has none
        raise Forbidden("without a key, the service answers to programs of its own machine only")
    origin = request.headers.get("Origin")
    if origin is not None and request.method not in cookie.SAFE_METHODS and origin != cookie.own_origin():
        raise Forbidden(f"without a key, pages of {origin!r} may not change anything here")


def _check_host_is_loopback() -> None:
    host = request.environ.get("HTTP_HOST", "")
    if not _names_loopback(f"//{host}"):
        raise Forbidden(f"without a key, the service answers to localhost and loopback addresses only, not to {host!r}")


def _names_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
        return parts.username is None and is_loopback(parts.hostname or "")
    except ValueError:
        return False
