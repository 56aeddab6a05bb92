"""What JSON takes to read, counted in its bytes before anything of it is built.

A parser makes 60 to 250 bytes of memory of each list or object, and 30 to 100 of each other value; while it does so, no
other thread of the process runs. So the number of bytes alone says little: `[],` has three, and takes sixty.
"""

from typing import NamedTuple

MOST_BRACKETS = 1_000_000  # of one batch; 100,000 jobs with every object that a built-in stage knows have 600,000
MOST_COMMAS = 5_000_000  # of one batch; 64 MiB of numbers with all their digits have 3.5 million


class Weight(NamedTuple):
    """How many lists, objects and other values there are, at most: brackets and commas in texts count as well."""

    brackets: int = 0
    commas: int = 0

    @classmethod
    def of(cls, body: bytes) -> "Weight":
        """The weight of some JSON."""
        return cls(body.count(b"[") + body.count(b"{"), body.count(b","))

    def beside(self, other: "Weight") -> "Weight":
        """The weight of both together."""
        return Weight(self.brackets + other.brackets, self.commas + other.commas)

    @property
    def excess(self) -> str | None:
        """What a batch has too many of; None where it may be read."""
        if self.brackets > MOST_BRACKETS:
            return f"over {MOST_BRACKETS:,} opening brackets; send it in several batches"
        return f"over {MOST_COMMAS:,} commas; send it in several batches" if self.commas > MOST_COMMAS else None
