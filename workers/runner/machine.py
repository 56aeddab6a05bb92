"""What decides the bits of a result beside its spec: versions, thread count, and the kind of processor."""

import importlib.util
import json
import os
import platform
import shutil
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

WIDTHS_PROVEN = Path(__file__).with_name("width_independent.json")
"""A list of {torch, cuda, gpu, date} on which all tests of widths (marker `gpu`) have passed. Those tests write it."""


def engines(device: str) -> tuple[str, ...]:
    """The engines of this machine on "cpu" or "cuda". Torch's compiler for CPUs needs a C++ compiler at run time."""
    if device == "cuda":
        return ("eager", "gram", "cudagraph", *([] if why_not_fused() else ["fused"]))
    compiler = shutil.which("clang++" if sys.platform == "darwin" else "g++")  # as torch looks for it
    return ("eager", "gram", "blas", *(["inductor"] if compiler else []))


def why_not_fused() -> str | None:
    """Why this machine cannot compile the kernel of the engine `fused`, in words; None where it can.

    Triton builds the C part of a kernel at its first launch, with the compiler that it looks for in this order.
    """
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if not any(shutil.which(name) for name in (os.environ.get("CC"), "clang", "gcc") if name):
        return "Triton needs a C compiler: install gcc or clang, or name one in CC"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return None if header.exists() else f"Triton needs the headers of Python: {header} is not there (python3-dev)"


def versions(device: str = "cpu") -> dict[str, str]:
    """The versions that a checkpoint depends on, and gradyard's own. On a GPU they include Triton's."""
    names = ["gradyard", "numpy", "torch", *(["triton"] if device == "cuda" and not why_not_fused() else [])]
    return {name: version(name) for name in names} | {"python": platform.python_version()}


def numerics_class(device: str, device_name: str, allow_tf32: bool = False) -> str:
    """The backend, its vector instructions or model, and the thread count. Machines of one class give the same bits.

    A GPU is "width-dependent" unless the tests of widths have passed on its model with this torch, without TF32.
    """
    import torch

    if device == "cuda":
        widths = "independent" if not allow_tf32 and _widths_are_proven(device_name) else "dependent"
        return f"cuda-width-{widths}/{torch.version.cuda}/{device_name}" + ("/tf32" if allow_tf32 else "")
    return f"cpu/{torch.backends.cpu.get_cpu_capability()}/threads=1"


def torch_on(gpu: str) -> dict[str, str]:
    """The key of a result of the tests of widths: this torch, its CUDA, and a GPU by its model's name."""
    import torch

    return {"torch": str(torch.__version__), "cuda": str(torch.version.cuda), "gpu": gpu}


def _widths_are_proven(gpu: str) -> bool:
    try:
        proven = json.loads(WIDTHS_PROVEN.read_text())
        return any(torch_on(gpu).items() <= each.items() for each in proven)
    except (OSError, ValueError, TypeError, AttributeError):  # the file is absent or damaged, so nothing is proven
        return False
