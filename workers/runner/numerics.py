"""How a runner computes: one thread, deterministic algorithms, products of full precision."""

import warnings


def one_thread() -> None:
    """Compute with exactly one thread: with two, a lone job of 40,000 points gets other bits than a packed one.

    `backward` runs in it too: for a GPU torch has a thread of its own, and a step would wait for it twice.
    """
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.autograd.set_multithreading_enabled(False)


def same_bits_on_gpu(allow_tf32: bool) -> None:
    """Use deterministic algorithms alone, and products of full precision unless TF32 is allowed."""
    import torch

    torch.use_deterministic_algorithms(True)
    # Trainers read no memory that they have not written, so filling it would only cost time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        # Torch since 2.9 warns that these names are old, but raises where both are used, and parts of torch read these.
        warnings.simplefilter("ignore", UserWarning)
        torch.backends.cuda.matmul.allow_tf32 = allow_tf32
        torch.backends.cudnn.allow_tf32 = allow_tf32


def gpu_environment() -> dict[str, str]:
    """Variables that cuBLAS reads when it loads: without a fixed workspace its products may differ from run to run."""
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def one_thread_environment() -> dict[str, str]:
    """Variables by which libraries compute with one thread. They read them when they load."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    return {f"{library}_NUM_THREADS": "1" for library in libraries} | {"VECLIB_MAXIMUM_THREADS": "1"}
