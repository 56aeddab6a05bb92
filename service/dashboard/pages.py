"""The page's routes, and problems as people read them."""

from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask_openapi3.openapi import OpenAPI

from service.dashboard import job, jobs, overview, parts, sign_in
from service.dashboard.administration import audit, files, keys, projects, storage, webhooks, workers
from service.dashboard.batches import charts, listed, shown
from service.dashboard.comparison import page as comparison
from service.dashboard.html import html, prepare_templates
from service.dashboard.submission import checked
from service.dashboard.submission import page as submission
from service.http.access.scopes import PAGE
from service.http.errors import PROBLEM, SHOWS_PROBLEMS

# Each fills a template: path, endpoint, the function that says which template and with what.
PAGES: tuple[tuple[str, str, Callable[..., tuple[str, dict[str, Any]]]], ...] = (
    ("/", "overview", overview.overview),
    ("/jobs", "jobs", jobs.jobs),
    ("/jobs/<job_id>", "job", job.job),
    ("/batches", "batches", listed.batches),
    ("/batches/<batch_id>", "batch", shown.batch),
    ("/compare", "compare", comparison.compare),
    ("/workers", "workers", workers.workers),
    ("/projects", "projects", projects.projects),
    ("/files", "files", files.files),
    ("/storage", "storage", storage.storage),
    ("/keys", "keys", keys.keys),
    ("/webhooks", "webhooks", webhooks.webhooks),
    ("/webhooks/<webhook_id>", "webhook", webhooks.webhook),
    ("/audit", "audit", audit.audit),
)
# Each answers by itself.
OTHERS: tuple[tuple[str, str, Callable[..., Response], list[str]], ...] = (
    ("/batches/<batch_id>/runs", "batch_runs", charts.batch_runs, ["GET"]),
    ("/batches/<batch_id>/band", "batch_band", charts.batch_band, ["GET"]),
    ("/submit", "submit", submission.submit, ["GET", "POST"]),
    ("/submit/check", "check", checked.check, ["POST"]),
    ("/sign-in", "sign_in", sign_in.sign_in, ["GET", "POST"]),
    ("/sign-out", "sign_out", sign_in.sign_out, ["POST"]),
    ("/page/<version>/<part>", "parts", parts.parts, ["GET"]),
)


def install(app: OpenAPI) -> None:
    """Serve the page at `/`, and show problems as pages to those who look at them."""
    page = Blueprint(PAGE, __name__, template_folder="templates")
    for path, endpoint, view in PAGES:
        page.add_url_rule(path, endpoint, _shown(view), methods=["GET"])
    for path, endpoint, respond, methods in OTHERS:
        page.add_url_rule(path, endpoint, respond, methods=methods)
    app.register_blueprint(page)
    prepare_templates(app)
    app.extensions[SHOWS_PROBLEMS] = _problem_as_page
    parts.every_part()


def _shown(view: Callable[..., tuple[str, dict[str, Any]]]) -> Callable[..., Response]:
    """The view of a page that says which template it fills, and with what."""

    def show(**path: str) -> Response:
        template, values = view(**path)
        return html(template, **values)

    return show


def _problem_as_page(response: Response) -> Response:
    """A problem as HTML where a person looks: in a browser, at an address that is none of the API."""
    looks = request.accept_mimetypes.best_match([PROBLEM, "text/html"]) == "text/html"
    of_page = request.blueprint == PAGE or (request.endpoint is None and not request.path.startswith("/v1/"))
    if response.content_type != PROBLEM or not looks or not of_page or request.method == "HEAD":
        return response
    problem = orjson.loads(response.get_data())
    asks = response.status_code == 401
    values = {"problem": problem} | (sign_in.form_values(request.full_path) if asks else {})
    shown = html("sign_in.html" if asks else "problem.html", response.status_code, **values)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown
