"""Errors of the command itself.

GradyardClientError
├── BadUsage       exit status 2
└── CannotWrite    exit status 1
"""

from gradyard.client.errors import GradyardClientError


class BadUsage(GradyardClientError):
    """The command line is not valid."""


class CannotWrite(GradyardClientError):
    """A file cannot be written."""
