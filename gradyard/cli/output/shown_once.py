"""Secrets that are shown once: where the output is lost, so are they, and what they open is there all the same."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gradyard.client.errors import CannotWrite
from gradyard.shapes import NewApiKey


@contextmanager
def said_if_lost(made: str, cure: str) -> Iterator[None]:
    """Raises CannotWrite, with what was `made` and its `cure`, where what the block prints cannot be written."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotWrite(f"{made}, but could not be shown ({reason}): {cure}") from None


@contextmanager
def keys_said_if_lost(keys: Sequence[NewApiKey]) -> Iterator[None]:
    """Raises CannotWrite, with how to revoke the `keys`, where what the block prints cannot be written."""
    if not keys:
        yield
        return
    names = ", ".join(f"{each.name} ({each.id})" for each in keys)
    made = f"the key of {names} was created" if len(keys) == 1 else f"the keys of {names} were created"
    with said_if_lost(made, f"`gradyard keys revoke {' '.join(each.id for each in keys)}`"):
        yield
