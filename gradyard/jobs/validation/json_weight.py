"""What JSON takes to read, counted in its bytes before anything of it is built.

A parser makes 60 to 250 bytes of memory of each list or object, and 30 to 100 of each other value; while it does so, no
other thread of the process runs. So the number of bytes alone says little: `[],` has three, and takes sixty.
"""

from typing import NamedTuple


class Weight(NamedTuple):
    """How many lists and objects, other values, and texts that are no names there are, at most.

    What stands in texts counts as well.
    """

    brackets: int = 0
    commas: int = 0
    texts: int = 0

    @classmethod
    def of(cls, body: bytes) -> "Weight":
        """The weight of some JSON."""
        texts = body.count(b'"') // 2 - body.count(b'":')
        return cls(body.count(b"[") + body.count(b"{"), body.count(b","), max(0, texts))

    def beside(self, other: "Weight") -> "Weight":
        """The weight of both together."""
        return Weight(self.brackets + other.brackets, self.commas + other.commas, self.texts + other.texts)

    @property
    def excess(self) -> str | None:
        """What a batch has too many of; None where it may be read."""
        return self._over(MOST_OF_BATCH, "send it in several batches")

    @property
    def excess_of_sweep(self) -> str | None:
        """What a sweep has too many of; None where it may be read by its types."""
        return self._over(MOST_OF_SWEEP, "send it as several sweeps, or as jobs")

    def _over(self, most: "Weight", cure: str) -> str | None:
        if self.brackets <= most.brackets and self.commas <= most.commas and self.texts <= most.texts:
            return None
        names = "opening brackets", "commas", "texts"
        complaints = (
            f"over {limit:,} {name}; {cure}" for name, own, limit in zip(names, self, most, strict=True) if own > limit
        )
        return next(complaints, None)


# 100,000 jobs with every object that a built-in stage knows have 600,000 brackets, and 64 MiB of numbers with all their
# digits 3.5 million commas.
MOST_OF_BATCH = Weight(700_000, 5_000_000, 2_500_000)
# A sweep is read a second time, by its types. An axis of 100,000 objects has as many brackets, and some more commas.
MOST_OF_SWEEP = Weight(300_000, 1_000_000, 1_000_000)
