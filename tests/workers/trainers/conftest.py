"""The trainers' promises hold with one torch thread, which is how the runner runs them."""

import pytest
import torch

from tests.workers.trainers.width_record import CHANGES_TOLD


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the record of widths where these tests changed it: it is to be committed, maybe from another machine."""
    for words in CHANGES_TOLD:
        terminalreporter.write_line(words)
