"""The URL of a real service on the database of a test, for the Client and the command."""

from collections.abc import Iterator
from contextlib import contextmanager

from gradyard.jobs.settings import Settings
from service.app import create_app
from service.http.services import Services
from tests.service.reverse_proxy import served


@contextmanager
def real_service(settings: Settings) -> Iterator[str]:
    """Serve the API without an administrator's key until the block ends."""
    app = create_app(settings.model_copy(update={"log_level": "ERROR"}))  # a command's stderr is looked at
    with served(app) as there:
        yield there
    services = app.extensions["gradyard"]
    assert isinstance(services, Services)
    services.close()
