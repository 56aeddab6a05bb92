"""Errors of the command itself.

GradyardClientError
└── BadUsage       exit status 2
"""

from gradyard.client.errors import GradyardClientError


class BadUsage(GradyardClientError):
    """The command line is not valid."""
