"""The Makefile's lists of files are complete, and no test is left out by all targets."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[1]


def test_make_test_gpu_names_every_file_with_tests_for_a_gpu() -> None:
    (named,) = re.findall(r"^GPU_TESTS := (.*)$", (HOUSE / "Makefile").read_text(), re.MULTILINE)
    marked = [each for each in (HOUSE / "tests").rglob("test_*.py") if re.search(r"\bmark\.gpu\b", each.read_text())]
    assert sorted(named.split()) == sorted(f"{each.relative_to(HOUSE)}" for each in marked)


def test_make_long_runs_what_make_test_leaves_out_and_make_quick_does_not() -> None:
    makefile = (HOUSE / "Makefile").read_text()
    line = r"^(test|long|quick):.*\n(?:\t.*\n)*?\t\$\(PYTEST\) -m (\"[^\"]*\"|\w+)"
    chosen = dict(re.findall(line, makefile, re.MULTILINE))
    assert (chosen["test"], chosen["long"]) == ('"not long"', "long")
    assert "not long" in chosen["quick"]


def test_make_fuzz_runs_every_test_that_draws_its_examples() -> None:
    makefile = (HOUSE / "Makefile").read_text().replace("\\\n", "")
    (named,) = re.findall(r"^FUZZ_TESTS := (.*)$", makefile, re.MULTILINE)
    places = [HOUSE / each for each in named.split()]
    tests = set((HOUSE / "tests").rglob("test_*.py")) - {HOUSE / "tests/test_fuzzing.py"}  # it draws in other processes
    drawing = [each for each in tests if "hypothesis" in imported_by(each.read_text())]
    assert all(each.exists() for each in places)
    assert len(drawing) >= 20
    left_out = [each for each in drawing if not any(each.is_relative_to(place) for place in places)]
    assert left_out == []


def imported_by(source: str) -> set[str]:
    """The packages that a module imports."""
    return set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
