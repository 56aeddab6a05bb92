"""The trainers' promises hold with one torch thread, which is how the runner runs them."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
