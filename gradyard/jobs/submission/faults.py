"""What is wrong with the members of a batch: of a list by their numbers, of a sweep once where the sweep has it."""

from gradyard.jobs.errors import BatchInvalid, FieldProblem, SpecInvalid
from gradyard.jobs.specs.axes import Span
from gradyard.jobs.specs.sweeps import Sweep
from gradyard.jobs.validation.messages import MOST_DETAILS, MOST_PROBLEMS, NO_SUCH_FIELD
from gradyard.jobs.validation.pointers import pointer_of

MOST_WRONG = 1000  # members of a sweep; by then its faults are known
MOST_FOUND = 10_000  # problems of all members together: finding one takes up to 0.1 ms, and a hundred are shown


class ListFaults:
    """The faults of members that the request itself has, in a list or line by line."""

    def __init__(self) -> None:
        self._problems: list[tuple[int, FieldProblem]] = []
        self._wrong = self._found = 0

    def add(self, index: int, problems: list[FieldProblem]) -> None:
        """Note what is wrong with the member of that number."""
        self._wrong += 1
        self._found += _found_in(problems)
        self._problems += [(index, each) for each in problems[: MOST_PROBLEMS - len(self._problems)]]

    def need(self, index: int) -> bool:
        """Whether this member must be looked at, to know all faults."""
        return True

    @property
    def enough(self) -> bool:
        """Whether so much is wrong that the other members need not be looked at."""
        return self._found >= MOST_FOUND

    def raise_any(self) -> None:
        """Raise BatchInvalid where a member was wrong."""
        if self._wrong:
            raise BatchInvalid(self._problems, self._wrong, more=self.enough)


class SweepFaults:
    """The faults of a sweep's members. A wrong value of an axis makes many wrong members, and is one fault."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._sizes = sweep.axis_sizes
        self._axes = {"/" + path.replace(".", "/"): path for path in (*sweep.grid, *sweep.random)}
        self._problems: dict[tuple[str, str], FieldProblem] = {}
        self._known: set[tuple[str, int]] = set()  # wrong values: their axis and position
        self._wrong = self._found = 0

    def add(self, index: int, problems: list[FieldProblem]) -> None:
        """Note what is wrong with the member of that number."""
        self._wrong += 1
        self._found += _found_in(problems)
        positions = self._positions(index)
        for problem in problems:
            found = self._in_sweep(problem, positions)
            # The values of a range and those that are drawn differ in their messages alone.
            counts_once = found.pointer.startswith(("/grid/", "/random/"))
            self._problems.setdefault((found.pointer, "" if counts_once else found.message), found)

    def need(self, index: int) -> bool:
        """Whether this member must be looked at, to know all faults; not where a value of it is known as wrong."""
        return not self._wrong or self._known.isdisjoint(self._positions(index).items())

    @property
    def enough(self) -> bool:
        """Whether so much is wrong that the other members need not be looked at."""
        return self._wrong >= MOST_WRONG or self._found >= MOST_FOUND

    def raise_any(self) -> None:
        """Raise SpecInvalid where a member was wrong."""
        if self._problems:
            raise SpecInvalid(list(self._problems.values())[:MOST_PROBLEMS])

    def _positions(self, index: int) -> dict[str, int]:
        """Which value of each axis the member of that number has. The last axis changes fastest."""
        rest, positions = index // self._sweep.samples, {}
        for path, size in zip(reversed(self._sweep.grid), reversed(self._sizes), strict=True):
            rest, positions[path] = divmod(rest, size)
        return positions

    def _in_sweep(self, problem: FieldProblem, positions: dict[str, int]) -> FieldProblem:
        """The problem of a member with a pointer into the sweep."""
        for place, path in self._axes.items():
            inside = problem.pointer == place or problem.pointer.startswith(place + "/")
            if not inside and not place.startswith(problem.pointer + "/"):
                continue
            if path in self._sweep.random:
                return FieldProblem(pointer_of(("random", path)), _of_draws(problem.message))
            if not inside or (problem.pointer == place and problem.message.startswith(NO_SUCH_FIELD)):
                return FieldProblem(pointer_of(("grid", path)), problem.message)
            self._known.add((path, positions[path]))
            value = () if isinstance(self._sweep.grid[path], Span) else (positions[path],)
            pointer = pointer_of(("grid", path, *value)) + problem.pointer.removeprefix(place)
            return FieldProblem(pointer, problem.message)
        return FieldProblem("/spec" + problem.pointer, problem.message)


def _of_draws(message: str) -> str:
    whole = message.startswith("must be a whole number")
    return message + "; random draws fractions, so give whole numbers in grid" if whole else message


def _found_in(problems: list[FieldProblem]) -> int:
    """How many problems of a member were found, at most, to show these."""
    return len(problems) if len(problems) < MOST_PROBLEMS else MOST_DETAILS
