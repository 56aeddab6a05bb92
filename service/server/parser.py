"""Reads the head of a request, and refuses those that another program would read in another way.

What the application can see (targets, Host) it refuses by itself, on every server: `service/http/incoming`.
"""

from waitress.parser import HTTPRequestParser, ParsingError

VERSIONS = ("1.0", "1.1")


class Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress has no types
    """Also refuses names with underscores, a body with two ends, and other versions than 1.0 and 1.1."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head. Raises ParsingError where it is wrong."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # an address or a length that Python cannot read
            raise ParsingError(f"the head of the request is wrong: {error}") from None
        if self.version not in VERSIONS:
            raise ParsingError(f"this service speaks HTTP/1.1, not HTTP/{self.version}")
        names = _names_in(header_plus)
        for name in names:
            if "_" in name:  # WSGI writes both alike, and `Script_Name` would mean something else
                raise ParsingError(
                    f"the name {name[:40]} of a header has an underscore; leave it out or write a hyphen"
                )
        if "transfer-encoding" in names and ("content-length" in names or self.version == "1.0"):
            raise ParsingError("a body has a Content-Length, or with HTTP/1.1 chunks, and not both")


def _names_in(header_plus: bytes) -> list[str]:
    """The names of the headers, in small letters. Waitress drops those with an underscore, and says nothing."""
    lines = header_plus.decode("latin-1").split("\r\n")[1:]
    return [line.partition(":")[0].lower() for line in lines if line[:1] not in (" ", "\t")]
