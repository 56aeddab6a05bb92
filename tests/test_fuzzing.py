"""Generated tests draw the same examples wherever they run, and others in each run of `make fuzz`."""

import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
DRAWS = """
import hypothesis
from hypothesis import strategies as st
from tests.fuzzing import draw_alike_anywhere

draw_alike_anywhere()


@hypothesis.given(number=st.integers())
def drawn(number):
    print(number)


drawn()
"""


def numbers_drawn(**variables: str) -> str:
    """What a process prints that has only these variables, and so none of a CI that the tests themselves run on."""
    command = [sys.executable, "-c", DRAWS]
    done = subprocess.run(command, cwd=HOUSE, env=variables, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) >= 50
    return done.stdout


@pytest.mark.parametrize("variables", [{}, {"CI": "true"}, {"GITHUB_ACTIONS": "true"}], ids=["laptop", "ci", "github"])
def test_each_run_draws_the_same_examples_wherever_it_is(variables: dict[str, str]) -> None:
    assert numbers_drawn(**variables) == numbers_drawn()


@pytest.mark.parametrize("variables", [{}, {"CI": "true"}], ids=["laptop", "ci"])
def test_each_run_of_make_fuzz_draws_others(variables: dict[str, str]) -> None:
    fuzz = variables | {"FUZZ_EXAMPLES": "100"}
    assert numbers_drawn(**fuzz) != numbers_drawn(**fuzz)
