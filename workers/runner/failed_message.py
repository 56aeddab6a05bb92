"""Builds the message on an error of a trainer. The error is an object of the trainer's: it may do anything but help."""

import traceback
from collections.abc import Sequence

import numpy as np

from workers.protocol.messages import FailedMessage
from workers.trainers.contract import MemberError

MESSAGE_CHARACTERS, TRACEBACK_CHARACTERS = 2_000, 65_536


def failed_message(error: BaseException, step: int, active: Sequence[int]) -> FailedMessage:
    """The message that the pack failed at that step. active: the index of each member that trained."""
    out_of_memory = isinstance(error, MemoryError) or is_full(error)
    named = error.index if isinstance(error, MemberError) else None
    is_one = isinstance(named, int | np.integer) and named is not True and named in range(len(active))
    return FailedMessage(
        message=as_text(f"{type(error).__name__}: {_words_of(error)}"[:MESSAGE_CHARACTERS]), step=step,
        traceback=traceback_of(error), out_of_memory=out_of_memory,
        device_error=not out_of_memory and is_device_error(error),
        member=active[int(named)] if named is not None and is_one else None,
    )  # fmt: skip


def traceback_of(error: BaseException) -> str:
    """The last part of the error's traceback."""
    try:
        return as_text("".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS:])
    except BaseException:  # of the error's own methods
        return "its traceback cannot be made\n"


def as_text(text: str) -> str:
    """The text as every program can write it: unpaired surrogates become `?`."""
    return text.encode(errors="replace").decode()


def is_full(error: BaseException) -> bool:
    """Whether a GPU had no memory left."""
    return type(error).__name__ == "OutOfMemoryError"


def is_device_error(error: BaseException) -> bool:
    """Whether CUDA itself failed, after which this process can no longer use its device."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in _words_of(error)


def _words_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the trainer called sys.exit({error.code if type(error.code) is int else ''})"
    try:
        return str(error)
    except BaseException:  # of the error's own method
        return "its text cannot be made"
