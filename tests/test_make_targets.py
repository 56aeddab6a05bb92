"""The Makefile's lists of files are complete."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[1]


def test_make_test_gpu_names_every_file_with_tests_for_a_gpu() -> None:
    (named,) = re.findall(r"^GPU_TESTS := (.*)$", (HOUSE / "Makefile").read_text(), re.MULTILINE)
    marked = [each for each in (HOUSE / "tests").rglob("test_*.py") if re.search(r"\bmark\.gpu\b", each.read_text())]
    assert sorted(named.split()) == sorted(f"{each.relative_to(HOUSE)}" for each in marked)
