"""The trainers' promises hold with one torch thread, which is how the runner runs them."""

import os
import sys
from collections.abc import Iterator

import pytest
import torch

from tests.workers.trainers.on_gpu import set_as_in_a_runner, width_record
from tests.workers.trainers.width_record import CHANGES_TOLD, WidthRecord

if not torch.cuda.is_available():
    assert "triton" not in sys.modules, "Triton reads this when it is imported, so nothing may import it before"
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def as_in_a_runner() -> Iterator[None]:
    """Torch set as a runner sets it for a GPU."""
    with set_as_in_a_runner():
        yield


@pytest.fixture(scope="module")
def widths() -> WidthRecord:
    """Where the tests of widths note what has passed."""
    return width_record()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the record of widths where these tests changed it: it is to be committed, maybe from another machine."""
    for words in CHANGES_TOLD:
        terminalreporter.write_line(words)
