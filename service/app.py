"""The Flask app: `gunicorn 'service.app:create_app()'`."""

import structlog
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs import settings as environment
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED
from service.dashboard import pages
from service.http import access_log, errors, openapi, parameter_errors, proxy
from service.http.access import auth
from service.http.document import introduction, page
from service.http.incoming import whole_requests
from service.http.limits import request_limits
from service.http.services import Services
from service.routes import (
    batches,
    best,
    export,
    files,
    fleet,
    health,
    job_list,
    live,
    prometheus,
    rechecks,
    retry_and_logs,
    stages,
)
from service.routes.administration import api_keys, audit, storage, webhooks
from service.routes.questions import actions, counts
from service.routes.results import losses, metrics_and_artifacts, predict

log = structlog.get_logger()

RESOURCES = (
    job_list, counts, actions, batches, best, export, losses, metrics_and_artifacts, predict, retry_and_logs,
    rechecks, live, files, stages, fleet, webhooks, api_keys, audit, storage, health, prometheus,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> OpenAPI:
    """Create the app for these settings; by default for those of the environment. It starts without database and Redis.

    Raises SettingsInvalid where a setting is wrong, or where other machines could use the service without a key.
    """
    settings = settings or environment.load()
    app = OpenAPI(
        "service", info=introduction.info(settings), static_folder=None, doc_ui=False,
        security_schemes=openapi.SECURITY_SCHEMES, openapi_extensions={"security": openapi.KEY_WHERE_ONE_IS_SET},
        validation_error_status="default", validation_error_callback=parameter_errors.refuse_parameters,
    )  # fmt: skip
    # One byte more than the setting, so that `requests.json_body` can tell a full body from one that was cut off.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_json_bytes + 1
    proxy.install(app, settings)
    access_log.install(app, settings)
    whole_requests.install(app)
    for guard in (auth, request_limits):
        guard.install(app, settings)
    whole_requests.install_of_views(app)
    errors.install(app)
    for resource in RESOURCES:
        app.register_api(resource.api)
    page.install(app)
    if settings.page:
        pages.install(app)
    _tell_what_is_not_offered()
    Services.of(settings).start_for(app)
    return app


def _tell_what_is_not_offered() -> None:
    for each in REFUSED:
        log.warning("a stage is not offered", stage=each.name, package=each.package, why=each.reason)
