"""Reads the head of a request, and refuses those that another program would read in another way.

What the application can see (targets, Host) it refuses by itself, on every server: `service/http/incoming`.
"""

from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import RequestHeaderFieldsTooLarge

from service.server.bodies import Bodies
from service.server.chunks import Chunks
from service.server.head import MOST_FIELDS, Head, read_head
from service.server.problems import Refused

VERSIONS = ("1.0", "1.1")


class Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress has no types
    """One request. It is complete when its body is, or when it is known to be wrong."""

    body_rcv: Any
    error: Any

    def __init__(self, adj: Any, bodies: Bodies | None = None) -> None:
        super().__init__(adj)
        self._bodies = bodies or Bodies()

    def bytes_received(self) -> int:
        """How many have come."""
        head: int = self.header_bytes_received
        return head + int(self.body_bytes_received)

    def received(self, data: bytes) -> int:
        """Take bytes of it. Returns how many."""
        blank = 0
        if self.body_rcv is None and not self.header_plus:  # empty lines may stand before a request, and nothing else
            blank = len(data) - len(data.lstrip(b"\r\n"))
            if blank == len(data):
                return blank
            if data[blank : blank + 1].isspace():
                self.error, self.completed = Refused(400, "there is a space before the method"), True
                return len(data)
        head = self.header_plus + data[blank:]
        taken: int = blank + super().received(data[blank:])
        if isinstance(self.error, RequestHeaderFieldsTooLarge):
            most = self.adj.max_request_header_size
            of_target = b"\r\n" not in head[:most]
            self.error = Refused(414 if of_target else 431, f"the head of the request has over {most:,} bytes")
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Raises ParsingError where it is wrong."""
        head = read_head(header_plus)
        try:
            super().parse_header(head.text)
        except ValueError as error:  # an address or a length that Python cannot read
            raise ParsingError(f"the head of the request is wrong: {error}") from None
        if self.version not in VERSIONS:
            raise ParsingError(f"this service speaks HTTP/1.1, not HTTP/{self.version}")
        self._check_names(head)
        self.error = self._refusal(head)
        longest = self._bodies.longest_of(self.path)
        if self.error is not None:
            self.body_rcv, self.content_length, self.expect_continue = None, 0, False
        elif self.chunked:
            self.body_rcv = Chunks(self.body_rcv.getbuf(), longest)

    def _check_names(self, head: Head) -> None:
        names = {name for name, _ in head.fields}
        for name in names:
            if "_" in name:  # WSGI writes both alike, and `Script_Name` would mean something else
                raise ParsingError(
                    f"the name {name[:40]} of a header has an underscore; leave it out or write a hyphen"
                )
        if "transfer-encoding" in names and ("content-length" in names or self.version == "1.0"):
            raise ParsingError("a body has a Content-Length, or with HTTP/1.1 chunks, and not both")
        if "transfer-encoding" in names and head.values("transfer-encoding") != ["chunked"]:
            raise ParsingError("a Transfer-Encoding stands once, and is chunked")

    def _refusal(self, head: Head) -> Refused | None:
        longest = self._bodies.longest_of(self.path)
        if len(head.fields) > MOST_FIELDS:
            return Refused(431, f"there are over {MOST_FIELDS} headers")
        if head.values("expect") not in ([], ["100-continue"]):
            return Refused(417, "of expectations this service meets 100-continue alone")
        if self.content_length > longest:
            return Refused(413, f"the body has over {longest:,} bytes")
        return None
