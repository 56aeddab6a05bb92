"""A GPU computes the same bits at every run, and rounds products only where that was asked for."""

import warnings

import pytest
import torch

from workers.runner.numerics import same_bits_on_gpu


def test_products_on_a_gpu_are_not_rounded_unless_that_was_asked_for() -> None:
    try:
        for asked in (True, False):
            same_bits_on_gpu(asked)
            assert torch.backends.cuda.matmul.allow_tf32 is asked
            assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_torch_that_warns_of_newer_names_is_set_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[bool] = []

    def set_and_warn(asked: bool) -> None:
        warnings.warn("Please use the new API settings to control TF32 behavior", UserWarning, stacklevel=1)
        set_to.append(asked)

    monkeypatch.setattr(torch._C, "_set_cublas_allow_tf32", set_and_warn)
    try:
        same_bits_on_gpu(allow_tf32=False)  # warnings are errors in these tests
        assert set_to == [False]
    finally:
        torch.use_deterministic_algorithms(False)
