"""Where the content of larger files is kept: a folder that all hosts see, or a bucket."""

from typing import BinaryIO, Protocol


class Contents(Protocol):
    """Stored contents by name. A name is made of letters, digits, `-`, `.` and `/`, and is stored once.

    What is stored is not listed: who puts a content notes its name before. All raise ContentUnavailable where the place
    does not answer or takes nothing.
    """

    def prepare(self) -> None:
        """Make the place ready where nothing was ever stored in it."""
        ...

    def put(self, name: str, content: BinaryIO) -> None:
        """Store all that can be read of `content`; whole or not at all, also where the process ends in the middle.

        What it leaves then is no content, and `delete` of the same name removes it.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """The content, to be read and closed. Raises ContentMissing where there is none of that name."""
        ...

    def delete(self, name: str) -> None:
        """Delete the content, if it is there, and what an interrupted `put` of that name left.

        But for the parts of an upload to a bucket, which its lifecycle rule removes.
        """
        ...
