"""Which test process runs what: tests of whole services one at a time in one of them, everything else in any.

The tests of a module that share what takes long to make go to one process, which then makes it once.
"""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

HOUSE = Path(__file__).parents[1]


class StackAlone(LoadScopeScheduling):  # type: ignore[misc]
    """Hand out the tests of whole services as one unit, before all others, and those of a module that share something.

    Every other test is a unit of its own.

    By the text of modules, since the process that assigns tests does not collect them. Not by `--dist loadgroup`:
    pytest-xdist 3.8 does not group anything with pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        if starts_a_service(module):
            return "stack"
        return module if shares_what_it_makes(module) else nodeid


@cache
def starts_a_service(module: str) -> bool:
    """Whether the tests of a module, by its path from the root of the project, are marked as stack."""
    return re.search(r"\bmark\.stack\b", (HOUSE / module).read_text()) is not None


@cache
def shares_what_it_makes(module: str) -> bool:
    """Whether a module, by its path from the root of the project, has a fixture for all its tests or is so marked."""
    return re.search(r'scope="module"|\bmark\.together\b', (HOUSE / module).read_text()) is not None
