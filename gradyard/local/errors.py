"""What can go wrong with a stack on this machine.

CannotStart
├── StartInterrupted          it was asked to stop while it was starting
└── StateFolderInUse          another `gradyard up` has the folder
"""

from gradyard.client.errors import GradyardClientError


class CannotStart(GradyardClientError):
    """A part of the stack on this machine does not start."""


class StateFolderInUse(CannotStart):
    """Another `gradyard up` has that state folder."""


class StartInterrupted(CannotStart):
    """Somebody asked to stop while the stack was starting."""
