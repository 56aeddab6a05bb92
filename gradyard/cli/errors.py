"""The error of a command line that cannot be carried out."""

from gradyard.client.errors import GradyardClientError


class BadUsage(GradyardClientError):
    """The command line is not valid."""
