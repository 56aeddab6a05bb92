"""A key signs a browser in, which from then on holds a cookie in its place."""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, request, url_for
from werkzeug.exceptions import Forbidden, HTTPException

from service.dashboard.html import html
from service.http.limits.request_limits import count_sign_in
from service.http.page_sessions import cookie
from service.http.services import current_services

LONGEST_KEY = 1_000
NOT_VALID = "The key is not valid: it is unknown, expired or revoked."


def sign_in() -> Response:
    """Ask for a key, or take one: a browser with a valid one goes where it wanted to go."""
    services, form = current_services(), _form()
    wanted = form.get("next") or request.args.get("next", "")
    if services.settings.admin_key is None:  # programs of this machine need no key
        return _to(wanted)
    if request.method != "POST":
        return html("sign_in.html", **form_values(wanted))
    if not (key := form.get("key", "").strip()[:LONGEST_KEY]):
        return html("sign_in.html", 422, refusal="Enter a key.", **form_values(wanted))
    cookie.check_same_origin()
    if caller := services.sessions.caller_of_key(key):
        count_sign_in(caller)
    token = services.sessions.sign_in(key) if caller else None
    if token is None:
        return html("sign_in.html", 401, refusal=NOT_VALID, **form_values(wanted))
    if older := cookie.token_sent():
        services.sessions.sign_out(older)
    response = _to(wanted)
    cookie.set_token(response, token)
    return response


def sign_out() -> Response:
    """End the session, here and in the database."""
    token, form = g.get("session_token"), _form()
    if token is not None:
        if not hmac.compare_digest(form.get("token", "").encode(), cookie.form_token(token).encode()):
            raise Forbidden("the form is not of this session; load the page again")
        current_services().sessions.sign_out(token)
    response = _led_to(url_for("page.sign_in"))
    cookie.forget_token(response)
    return response


def form_values(wanted: str) -> dict[str, Any]:
    """What the form is filled with: where the browser goes afterwards."""
    return {"next": wanted.rstrip("?") if _is_a_page(wanted) else ""}


def _to(wanted: str) -> Response:
    within = url_for("page.overview").rstrip("/") + wanted if _is_a_page(wanted) else url_for("page.overview")
    return _led_to(within)


def _led_to(address: str) -> Response:
    return Response(status=303, headers={"Location": address})


def _form() -> Mapping[str, str]:
    """The fields of the form. Raises BodyIncomplete where the body was cut off, whatever it is."""
    request.get_data(parse_form_data=True)
    return request.form


def _is_a_page(path: str) -> bool:
    """Whether it is a page of this service: no form may lead elsewhere."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return False
    try:
        endpoint, _ = current_app.url_map.bind("").match(urlsplit(path).path, "GET")
    except (HTTPException, ValueError):
        return False
    return endpoint.startswith("page.") and endpoint not in ("page.sign_in", "page.parts")
