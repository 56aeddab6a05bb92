"""Templates as responses: what each of them knows, what is escaped, and the headers of a page."""

import gzip
from typing import Any

from flask import Flask, Response, g, render_template, request, url_for

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.states import SENTENCES
from gradyard.jobs.visible_text import visible
from service.dashboard import parts, words
from service.dashboard.administration import sizes
from service.dashboard.charts import mathematics, small
from service.http.access.callers import Caller
from service.http.access.scopes import NEEDED, PAGE
from service.http.json_response import dump_json
from service.http.page_sessions.cookie import form_token
from service.http.proxy import outer_path

# No script or style stands in a page, and none is made of text: what a user wrote can never become one.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = "text/html; charset=utf-8"
WORTH_COMPRESSING = 1_000  # bytes


def html(template: str, status: int = 200, **values: Any) -> Response:
    """A template as a response. Values are escaped where they stand in it."""
    text = render_template(template, **values).encode()
    compressed = gzip.compress(text, 5) if len(text) > WORTH_COMPRESSING else text
    response = parts.compressible(text, compressed, HTML, status)
    if compressed is text:
        response.headers.pop("Content-Encoding", None)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"  # within the page, `next` of a sign-in
    return response


def compressed_json(value: Any) -> Response:
    """What a script of the page draws, as JSON."""
    plain = dump_json(value)
    return parts.compressible(plain, gzip.compress(plain, 1), "application/json")


def prepare_templates(app: Flask) -> None:
    """Give the templates their filters, functions and values."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.finalize = words.as_seen  # the value of a field is what was typed: `| e` leaves it so
    filters = (words.number, words.span, words.ago, words.short, words.short_id, words.in_path,
               visible, mathematics.mathematics, sizes.size)  # fmt: skip
    environment.filters.update({each.__name__: each for each in filters})
    environment.globals.update(
        icon=parts.icon, part=_part, link=link, sentences=SENTENCES,
        state_icons=words.STATE_ICONS, reasons=words.REASONS, line=small.line, bars=small.bars, NOTHING=words.NOTHING,
    )  # fmt: skip
    app.context_processor(_about_the_caller)


def _part(name: str) -> str:
    return url_for("page.parts", version=parts.version_of_parts(), part=name)


def link(endpoint: str, **values: Any) -> str:
    """The address of a page, in the project that this one shows."""
    named: dict[str, Any] = {"project": request.args["project"]} if "project" in request.args else {}
    return url_for(f"{PAGE}.{endpoint}", **named, **values)


def _may_see(endpoint: str) -> bool:
    caller: Caller | None = g.get("caller")
    return caller is not None and caller.may(NEEDED[f"{PAGE}.{endpoint}"])


def _about_the_caller() -> dict[str, Any]:
    caller: Caller | None = g.get("caller")
    token: str | None = g.get("session_token")
    return {
        "caller": caller, "root": outer_path("/"), "named_project": request.args.get("project"),
        "form_token": form_token(token) if token else None, "may_see": _may_see,
        "may_write": caller is not None and caller.may(Scope.JOBS_WRITE),
        "is_operator": caller is not None and caller.may(Scope.OPERATOR),
    }  # fmt: skip
