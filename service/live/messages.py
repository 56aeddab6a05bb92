"""Messages of a stream of events, in the form of the HTML standard (`text/event-stream`)."""

from dataclasses import dataclass
from typing import Any

from gradyard.shapes.live import MessageName
from service.http.json_response import dump_json
from service.live.positions import Position

AGAIN_MILLISECONDS = 1000  # after which a browser connects again
OPENING = b"retry: %d\n\n" % AGAIN_MILLISECONDS
COMMENT = b":\n\n"  # so that clients and proxies see that the connection lives


@dataclass(frozen=True)
class Message:
    """One message: its name, its data, and how much of its thing is told after it. None: it names no position.

    more: what follows it can be read at once.
    """

    name: MessageName
    data: bytes
    position: Position | None = None
    more: bool = False

    @classmethod
    def of(
        cls, name: MessageName, answer: Any, position: Position | None = None, *, more: bool = False
    ) -> "Message":  # fmt: skip
        """A message with this answer as its data."""
        return cls(name, dump_json(answer), position, more)

    def encoded(self, last_id: str | None) -> bytes:
        """Its bytes. last_id: the positions of all things of the stream after it."""
        numbered = b"" if last_id is None else b"id: %b\n" % last_id.encode()
        return b"event: %b\n%bdata: %b\n\n" % (self.name.encode(), numbered, self.data)
