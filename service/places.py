"""How many long answers there may be at a time, of each kind: exports and streams."""

import threading
from collections import Counter

from gradyard.jobs.errors import Refused


class Places:
    """A limit on the long answers of one process. A project has half of the places at most: others keep some.

    what: they, in the plural, as a refusal calls them.
    """

    def __init__(self, most: int, what: str, refusal: type[Refused]) -> None:
        self._most, self._most_of_a_project = most, max(1, most // 2)
        self._what, self._refusal = what, refusal
        self._taken = Counter[int]()
        self._changing = threading.Lock()

    def take(self, project_id: int, count: int = 1) -> None:
        """Take so many places, until `give_back`. Raises the refusal where fewer are free, and takes none then."""
        later = "try again after some have ended"
        with self._changing:
            if self._taken.total() + count > self._most:
                raise self._refusal(f"no more than {self._most:,} {self._what} may be under way at a time; {later}")
            if self._taken[project_id] + count > self._most_of_a_project:
                most = f"{self._most_of_a_project:,} {self._what} of this project"
                raise self._refusal(f"no more than {most} may be under way at a time; {later}")
            self._taken[project_id] += count

    def give_back(self, project_id: int, count: int = 1) -> None:
        """Give so many places back."""
        with self._changing:
            self._taken[project_id] -= count

    def taken(self) -> int:
        """How many places are taken."""
        with self._changing:
            return self._taken.total()
