"""Which tests take long without a server, as measured: `make quick` leaves them out.

python -m pytest -n 3 -m "not server and not long and not gpu" --junitxml=measured.xml
python -m tests.slow_tests measured.xml        # writes tests/slow_tests.txt anew
"""

import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

HOUSE = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".txt")
LONG_SECONDS = 0.15
"""Beside other test processes on two slow cores. The others take less than two minutes there, with three processes."""


@cache
def slow_tests() -> frozenset[str]:
    """The tests of the list: `tests/FOLDER/test_FILE.py::test_name`, without parameters."""
    return frozenset(LIST.read_text().split())


def is_slow(node_id: str) -> bool:
    """Whether that test is in the list."""
    return node_id.partition("[")[0] in slow_tests()


def measured_as_slow(report: Path) -> list[str]:
    """The tests of a report in JUnit's form that took long, in one form at least and half as long on average."""
    seconds = defaultdict[str, list[float]](list)
    for case in ElementTree.parse(report).iter("testcase"):
        name = _node_id(case.attrib["classname"], case.attrib["name"])
        seconds[name].append(float(case.attrib["time"]))
    return sorted(name for name, of in seconds.items() if max(of) >= LONG_SECONDS <= 2 * sum(of) / len(of))


def _node_id(class_name: str, name: str) -> str:
    parts = class_name.split(".")
    file = next(number for number, part in enumerate(parts) if part.startswith("test_"))
    path = "/".join(parts[: file + 1]) + ".py"
    return "::".join([path, *parts[file + 1 :], name.partition("[")[0]])


if __name__ == "__main__":
    LIST.write_text("\n".join(measured_as_slow(Path(sys.argv[1]))) + "\n")
    print(f"{len(LIST.read_text().split())} tests take {LONG_SECONDS} s or more; see {LIST.relative_to(HOUSE)}")
