"""Who can reach a service that asks for no key."""

from ipaddress import ip_address

from gradyard.jobs.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def open_without_a_key(settings: Settings) -> str | None:
    """How other machines could use the service without a key; None where they could not. Such a service does not start.

    A proxy is reached by others as a rule, and every request that it hands on comes from this machine.
    """
    if settings.admin_key and settings.admin_key.get_secret_value():
        return None
    if not is_loopback(settings.host):
        return f"it listens on {settings.host or 'every address'}, which other machines can reach"
    return "GRADYARD_BEHIND_PROXY says that a proxy hands on requests of others" if settings.behind_proxy else None
