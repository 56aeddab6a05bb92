"""What a command line can ask for in vain."""

from gradyard.client.errors import GradyardClientError


class BadUsage(GradyardClientError):
    """The command line asks for nothing that can be done."""
