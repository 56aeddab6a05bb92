"""Who can reach a service that asks for no key."""

from ipaddress import ip_address

from gradyard.jobs.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def open_without_a_key(settings: Settings) -> bool:
    """Whether other machines could use the service without a key. Such a service does not start."""
    key = settings.admin_key.get_secret_value() if settings.admin_key else ""
    return not key and not is_loopback(settings.host)
