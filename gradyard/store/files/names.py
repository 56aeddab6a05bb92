"""The names of stored contents, which lead to no other place."""

import re

MARKER = ".gradyard-files"  # no name of a content
MARKER_TEXT = b"gradyard keeps files here. Without this one it takes the place for another, or for one that is away.\n"
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,199}")
UNFINISHED = ".unfinished"  # with it the longest part is 211 bytes; a file system takes 255


def check_name(name: str) -> None:
    """Raises ValueError where this is no name of a content.

    A name has parts of 1 to 200 ASCII letters, digits, `-` and `.` with `/` between them. None begins with `.` or `-`,
    so none is `..` or a hidden file. None ends in `.unfinished`: what is not yet stored whole is kept under such names.
    """
    if any(PART.fullmatch(part) is None or part.endswith(UNFINISHED) for part in name.split("/")):
        raise ValueError(f"{name!r} is no name of a stored content")
