"""Progress bars on a terminal of any width: the outcome is whole, the bar and the time go first."""

import io

import pytest
from rich.console import Console

from gradyard.cli.progress import Bars
from gradyard.shapes import Job
from tests.cli.command_for_tests import RESULT
from tests.client.service_for_tests import job


def _shown(width: int, encoding: str) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=file, width=width, force_terminal=True, color_system=None, highlight=False)
    with Bars(console) as bars:
        bars.show(Job.model_validate(job(state="running", steps=30_000, steps_done=12_345)))
        bars.show(Job.model_validate(job(state="succeeded", steps=30_000, steps_done=30_000, result=RESULT)))
    file.flush()
    return file.buffer.getvalue().decode()


@pytest.mark.parametrize(("width", "has_bar", "has_time"), [(48, False, False), (60, True, False), (80, True, True)])
def test_the_outcome_is_whole_at_every_width(width: int, has_bar: bool, has_time: bool) -> None:
    last = next(line for line in _shown(width, "utf-8").splitlines() if "succeeded" in line)
    assert "30000/30000" in last
    assert "succeeded, loss 8.5" in last
    assert ("━" in last, "0:00:0" in last) == (has_bar, has_time)


def test_a_stream_of_ascii_gets_bars_of_ascii() -> None:
    assert "succeeded, loss 8.5" in _shown(80, "ascii")
