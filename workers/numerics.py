"""What decides the bits of a result beside the spec: versions, thread count, and the kind of processor."""

import platform
import shutil
import sys
from importlib.metadata import version


def one_thread() -> None:
    """Compute with exactly one thread: with two, a lone job of 40,000 points gets other bits than a packed one."""
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)


def one_thread_environment() -> dict[str, str]:
    """The same for the libraries that read it from the environment before they load."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    return {f"{library}_NUM_THREADS": "1" for library in libraries} | {"VECLIB_MAXIMUM_THREADS": "1"}


def engines() -> tuple[str, ...]:
    """What this machine can train with: torch's compiler needs a C++ compiler at run time."""
    compiler = shutil.which("clang++" if sys.platform == "darwin" else "g++")  # as torch looks for it
    return ("eager", "gram", "blas", *(["inductor"] if compiler else []))


def versions() -> dict[str, str]:
    """The versions that a checkpoint depends on, and gradyard's own."""
    return {name: version(name) for name in ("gradyard", "numpy", "torch")} | {"python": platform.python_version()}


def numerics_class(device: str, device_name: str) -> str:
    """Machines of one class give the same bits: the backend, its vector instructions or model, the thread count."""
    import torch

    if device == "cuda":
        return f"cuda-width-dependent/{torch.version.cuda}/{device_name}"
    return f"cpu/{torch.backends.cpu.get_cpu_capability()}/threads=1"
