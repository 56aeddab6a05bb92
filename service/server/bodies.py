"""How long the body of a request may be, and how much of unfinished requests one process holds."""

from dataclasses import dataclass

FREE_BYTES = 8192  # of each unfinished request: so small ones arrive also while strangers fill the rest
BATCHES, FILES = "/v1/batches", "/v1/files"


@dataclass
class Bodies:
    """The limits of one process, in bytes, and what its event loop holds now. Used by the event loop alone.

    longest: of the body of a request; longest_batch, longest_file: of one to `/v1/batches`, to `/v1/files`.
    most_unfinished: of all requests together that have not arrived whole, without the first FREE_BYTES of each.
    """

    longest: int = 2**20
    longest_batch: int = 2**26
    longest_file: int = 2**26
    most_unfinished: int = 2**27
    unfinished: int = 0

    def longest_of(self, path: str) -> int:
        """How long the body of a request for this path may be."""
        return {BATCHES: self.longest_batch, FILES: self.longest_file}.get(path, self.longest)

    def change(self, before: int, after: int) -> bool:
        """Count a request that had so many bytes before, and has so many now. Returns False where it is too much."""
        more = max(0, after - FREE_BYTES) - max(0, before - FREE_BYTES)
        self.unfinished += more
        return more <= 0 or self.unfinished <= self.most_unfinished
