"""What decides the bits of a result, as jobs and checkpoints name it."""

import torch

from workers.runner.numerics import numerics_class, same_bits_on_gpu


def test_a_gpu_says_that_its_bits_may_depend_on_the_width_and_whether_its_products_are_rounded() -> None:
    plain, rounded = (numerics_class("cuda", "H200", allow_tf32) for allow_tf32 in (False, True))
    assert plain == f"cuda-width-dependent/{torch.version.cuda}/H200"
    assert rounded == f"{plain}/tf32"


def test_products_on_a_gpu_are_not_rounded_unless_that_was_asked_for() -> None:
    try:
        for asked in (True, False):
            same_bits_on_gpu(asked)
            assert torch.backends.cuda.matmul.allow_tf32 is asked
            assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_cpu_says_its_instructions_and_its_one_thread() -> None:
    assert numerics_class("cpu", "cpu") == f"cpu/{torch.backends.cpu.get_cpu_capability()}/threads=1"
