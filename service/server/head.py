"""The lines of a head: what HTTP/1.1 has, and nothing that programs read in different ways.

It is checked before Waitress sees it, whose patterns take minutes for some heads of a few kilobytes: a field of many
spaces, a first line that looks like an address and has a word too much.
"""

import re
from typing import NamedTuple

from waitress.parser import ParsingError

MOST_FIELDS = 256
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(rb"(" + TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
FIRST_LINE = re.compile(TOKEN + rb" [\x21-\x7e]+ HTTP/[0-9]\.[0-9]")


class Head(NamedTuple):
    """A head. text: the same one without spaces around its values. fields: names in small letters, and values."""

    text: bytes
    fields: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """What fields of this name say, in small letters."""
        return [value.lower() for each, value in self.fields if each == name]


def read_head(sent: bytes) -> Head:
    """The head in these bytes. Raises ParsingError where it is none."""
    first, *lines = sent.split(b"\r\n")
    if not FIRST_LINE.fullmatch(first):
        raise ParsingError("a request begins with a method, a path and HTTP/1.1, with one space between them")
    lines = [line for line in lines if line]
    cleaned, fields = [first], list[tuple[str, str]]()
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            raise ParsingError("a header goes on in a second line; write it in one")
        field = FIELD.fullmatch(line)
        if field is None:
            raise ParsingError(f"there is a line that is no header: {line[:40].decode('latin-1')!r}")
        value = field[2].strip(b" \t")
        cleaned.append(field[1] + b":" + value)
        fields.append((field[1].decode("latin-1").lower(), value.decode("latin-1")))
    return Head(b"\r\n".join([*cleaned, b"", b""]), fields)
