"""The session's cookie, and the requests that it may speak for.

A browser sends it along with what any page makes it send. So it counts for this service's own page alone: a change must
come from this origin, and a read of /v1 must not come from another one. Links from elsewhere may open a page.
"""

import hmac

from flask import Response, request
from werkzeug.exceptions import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PORTS = {"http": "80", "https": "443"}


def token_sent() -> str | None:
    """The token in the request's cookie; None where it has none, or a key of its own in its header.

    Other schemes are of a proxy in front, which asks for a password of its own.
    """
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return None if scheme.lower() == "bearer" else request.cookies.get(_name())


def set_token(response: Response, token: str) -> None:
    """Give the browser a token. Its scripts cannot read it, and pages of other sites cannot send it with a change."""
    response.set_cookie(
        _name(), token, path=_path(), secure=request.is_secure, httponly=True, samesite="Lax"
    )  # fmt: skip


def forget_token(response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(_name(), path=_path(), secure=request.is_secure, httponly=True, samesite="Lax")


def check_same_origin(*, may_be_a_link: bool = False) -> None:
    """Raise Forbidden where a page of another origin made the browser send this.

    may_be_a_link: whether a link from elsewhere may lead here.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if request.method in SAFE_METHODS:  # browsers without the header send no cookie but with links: SameSite
        own = site in (None, "same-origin", "none") or may_be_a_link
    else:
        own = site == "same-origin" or (site is None and origin == own_origin())
    if not own:
        raise Forbidden(
            "the session of the page is for this page alone; programs send a key: Authorization: Bearer KEY"
        )


def own_origin() -> str:
    """The origin of this service, as a browser writes it."""
    return f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"


def form_token(token: str) -> str:
    """What a form of the session must carry: another site cannot know it."""
    return hmac.new(token.encode(), b"form", "sha256").hexdigest()


def _name() -> str:
    """By the port: cookies of all services of a host are sent to each of them."""
    port = request.environ.get("HTTP_HOST", "").rpartition(":")[2]
    return f"gradyard_session_{port}" if port.isdigit() and port != PORTS.get(request.scheme) else "gradyard_session"


def _path() -> str:
    return f"/{request.script_root.strip('/')}"
