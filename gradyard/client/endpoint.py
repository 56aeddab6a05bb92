"""Where the service is and what it asks for: the URL and the key of a client to which nobody named them."""

from gradyard.local.state_folder import StateFolder
from gradyard.jobs.settings import Settings, load

CONVENTIONAL_URL = "http://127.0.0.1:8000"


def find_service(
    url: str | None = None, key: str | None = None, settings: Settings | None = None
) -> tuple[str, str | None]:
    """The URL given; else `GRADYARD_URL`; else that of the stack running in the state folder; else the usual one.

    The key given; else `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but never to a URL that was named by hand, which may
    be anybody's.
    Raises SettingsInvalid where a variable of the environment is wrong.
    """
    if url:
        return url, key
    settings = settings or load()
    own = settings.key or settings.admin_key
    own_key = own.get_secret_value() if own else None
    if settings.url:
        return settings.url, key or own_key
    endpoint = StateFolder(settings.state_dir).endpoint()
    return endpoint.url if endpoint is not None else CONVENTIONAL_URL, key or own_key
