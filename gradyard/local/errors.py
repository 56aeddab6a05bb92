"""Errors of a stack on this machine.

CannotStart
├── StartInterrupted          a stop signal arrived during the start
└── StateFolderInUse          another `gradyard up` uses the folder
CannotCopy                    a database is not backed up, restored or vacuumed
"""

from gradyard.client.errors import GradyardClientError


class CannotStart(GradyardClientError):
    """A process of the stack on this machine does not start."""


class StateFolderInUse(CannotStart):
    """Another `gradyard up` uses that state folder."""


class CannotCopy(GradyardClientError):
    """The database is not backed up, restored or vacuumed."""


class StartInterrupted(CannotStart):
    """A stop signal arrived while the stack was starting."""
