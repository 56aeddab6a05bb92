"""The standard streams, as the caller of the command left them: closed, full, cut off, or without our letters."""

import codecs
import errno
import os
import sys
import unicodedata
from io import TextIOWrapper
from typing import IO, TextIO

from gradyard.cli.output.terminal_stream import over_terminal

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
ASCII = "gradyard_ascii"  # our codec, and `_look_alikes` among the error handlers
LOOK_ALIKES = {"─": "-", "━": "-", "╸": "-", "╺": "-", "│": "|", "┤": "+", "└": "+", "…": "~", "°": " "}
# The rows of dots of a braille character, the top one 1, as the ASCII letter with ink at that height.
HEIGHTS = " '-'-|-|_|||.|||"


def prepare() -> None:
    """Opens what the caller has closed, so that no other file gets its number, and chooses letters that are shown.

    Of a terminal, the streams show control characters by their numbers.
    """
    codecs.register(_ascii)
    codecs.register_error(ASCII, _look_alikes)
    for number in range(3):
        _open_if_closed(number)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii" or (stream.isatty() and _terminal_is_plain())
            stream.reconfigure(encoding=ASCII if plain else stream.encoding, errors=ASCII, line_buffering=True)
    sys.stdout, sys.stderr = over_terminal(sys.stdout), over_terminal(sys.stderr)


def shows_every_letter(stream: TextIO) -> bool:
    """Whether the encoding of the stream has every letter of Unicode."""
    return stream.encoding.lower().startswith("utf")


def flushed(status: int) -> int:
    """Writes out what is left, and returns the exit status of the command.

    A reader that went away (`| head`) is no failure. What a full device did not take is dropped, so that Python's own
    end does not complain about it.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _drop(stream)
        except OSError:
            _drop(stream)
            status = status or 1
    return status


def failure(error: OSError) -> str:
    """The error of the system as one sentence: the file, or else the output, and what is wrong with it."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason}"
    return f"the output cannot be written ({reason})" if error.errno in FULL else reason


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one


def _terminal_is_plain() -> bool:
    """Whether the terminal says that it shows ASCII alone: TERM=dumb, or a locale of C or POSIX that was asked for."""
    if os.environ.get("TERM") == "dumb":
        return True
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG")
    if locale == "C.UTF-8":  # Python itself sets LC_CTYPE to this where the locale is C
        locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return locale in ("C", "POSIX")


def _ascii(name: str) -> codecs.CodecInfo | None:
    """Python's ASCII by a name of ours: Typer writes UTF-8 to a stream whose encoding it knows as ASCII."""
    if name != ASCII:
        return None
    usual = codecs.lookup("ascii")
    return codecs.CodecInfo(
        usual.encode, usual.decode, usual.streamreader, usual.streamwriter, usual.incrementalencoder,
        usual.incrementaldecoder, name=ASCII,
    )  # fmt: skip


def _drop(stream: IO[str]) -> None:
    """Lets the stream write to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _look_alikes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_look_alike, error.object[error.start : error.end])), error.end


def _look_alike(letter: str) -> str:
    """An ASCII letter, or a few, that look like this one; `?` where there are none."""
    if "\u2800" <= letter <= "\u28ff":
        return _height(ord(letter) - 0x2800)
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return LOOK_ALIKES.get(letter) or plain or "?"


def _height(dots: int) -> str:
    rows = sum(1 << row for row, both in enumerate((0x09, 0x12, 0x24, 0xC0)) if dots & both)
    return HEIGHTS[rows]
