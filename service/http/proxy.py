"""Behind a proxy that serves the service below a path or another name: GRADYARD_BEHIND_PROXY.

Without the setting the X-Forwarded-* headers of a request mean nothing. With it, those of the one proxy before the
service are believed, and every request needs a key: each seems to come from the proxy's machine.
"""

from urllib.parse import urlencode

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from gradyard.jobs.settings import Settings


def install(app: Flask, settings: Settings) -> None:
    """Believe the proxy, where the setting says that there is one: the sender, scheme, name and path prefix."""
    if settings.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)  # type: ignore[method-assign]


def outer_path(path: str) -> str:
    """The path as clients of the proxy write it: below the prefix that the proxy takes away."""
    prefix = request.script_root.strip("/")  # two slashes would begin the name of another host
    return f"/{prefix}{path}" if prefix else path


def location_of(path: str) -> str:
    """The Location of a thing that this request made: its outer path, in the project that the request named."""
    named = {"project": request.args["project"]} if "project" in request.args else {}
    return outer_path(path) + (f"?{urlencode(named)}" if named else "")
