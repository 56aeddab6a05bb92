"""The Flask app: `gunicorn 'service.app:create_app()'`."""

from importlib.metadata import version

import structlog
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs import settings as environment
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED
from service.http import access_log, auth, errors, openapi, parameter_errors, proxy
from service.http.services import Services
from service.routes import (
    api_keys,
    batches,
    export,
    fleet,
    health,
    jobs,
    losses,
    metrics_and_artifacts,
    predict,
    prometheus,
    retry_and_logs,
    stages,
)

log = structlog.get_logger()


def create_app(settings: Settings | None = None) -> OpenAPI:
    """Create the app for these settings; by default for those of the environment. It starts without database and Redis.

    Raises SettingsInvalid where a setting is wrong, or where other machines could use the service without a key.
    """
    settings = settings or environment.load()
    app = OpenAPI(
        "service", info=Info(title="gradyard", version=version("gradyard")), static_folder=None, doc_ui=False,
        security_schemes=openapi.SECURITY_SCHEMES, openapi_extensions={"security": openapi.KEY_WHERE_ONE_IS_SET},
        validation_error_status="default", validation_error_callback=parameter_errors.refuse_parameters,
    )  # fmt: skip
    # One byte more than the setting, so that `requests.json_body` can tell a full body from one that was cut off.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_json_bytes + 1
    proxy.install(app, settings)
    access_log.install(app, settings)
    auth.install(app, settings)
    for refusals in (errors, parameter_errors):
        refusals.install(app)
    for resource in (
        jobs, batches, export, losses, metrics_and_artifacts, predict, retry_and_logs, stages, fleet, api_keys, health,
        prometheus,
    ):  # fmt: skip
        app.register_api(resource.api)
    openapi.install(app)
    for each in REFUSED:
        log.warning("a stage is not offered", stage=each.name, package=each.package, why=each.reason)
    Services.of(settings).start_for(app)
    return app
