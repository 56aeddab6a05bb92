"""The kernel of the engine `fused`, compiled for GPUs that need not be here: registers, spilled bytes, instructions.

python -m bench.fused_kernel     (needs Triton)
"""

import os
import re
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from bench.report import Row, table, write_results
from workers.trainers.fused.kernel.train import ARGUMENTS, train
from workers.trainers.fused.trainer import LARGEST_BLOCK, WARPS, WARPS_OF_MANY_BLOCKS

ARCHITECTURES = {90: "H100", 80: "A100"}
POINTERS = ("x", "y", "numbers", "weights", "slots", "others", "losses")
NOTES = f"""Compiled by Triton {triton.__version__} for an H100 (sm_90) and an A100 (sm_80), without one: registers of a
thread, at most 255, and bytes that it spills to memory; instructions that a warp executes for one step of one block.
2,000 points are one block and stay in registers; many are read in blocks of {LARGEST_BLOCK:,} at each step."""


class Variant(NamedTuple):
    """Constants to compile the kernel for; `points` is 0 for many blocks."""

    family: str
    coefficients: int
    loss: str
    rule: str
    dtype: str = "float32"
    points: int = 2000

    @property
    def warps(self) -> int:
        """As the trainer chooses them."""
        return (WARPS if self.points else WARPS_OF_MANY_BLOCKS)[getattr(torch, self.dtype)]

    def __str__(self) -> str:
        blocks = f"{self.points:,} points" if self.points else "many blocks"
        return f"{self.family} of {self.coefficients}, {self.loss}, {self.rule}, {self.dtype}, {blocks}"


def _variants() -> list[Variant]:
    models = (("polynomial", 4), ("polynomial", 10), ("legendre", 4), ("dynamic", 5))
    common = [
        Variant(*model, "mse", rule, dtype, points)
        for model in models for rule in ("sgd", "adam") for dtype in ("float32", "float64") for points in (2000, 0)
        if not (model[0] == "legendre" and rule == "adam")
    ]  # fmt: skip
    return [*common, *(Variant("polynomial", 4, loss, "rmsprop") for loss in ("l1", "smooth_l1", "huber"))]


class Usage(NamedTuple):
    """What the assembler says of a kernel."""

    registers: int
    spilled_bytes: int
    instructions: int  # of a warp in the largest loop: a step of one block, or of all that is once a step around blocks


def usage_of(variant: Variant, architecture: int) -> Usage:
    """Compile it. Needs no GPU: Triton brings NVIDIA's assembler along."""
    signature = dict.fromkeys(ARGUMENTS, "i32") | dict.fromkeys(POINTERS, f"*fp{variant.dtype[-2:]}")
    signature |= {"orders": "*i8", "log_betas": "*fp64", "updates": "*fp64"}
    constants: dict[str, Any] = {
        "FAMILY": variant.family, "LOSS": variant.loss, "MEAN": False, "RULE": variant.rule,
        "MOMENTUM": False, "COUNT": variant.coefficients, "BLOCK": LARGEST_BLOCK, "POINTS": variant.points,
    }  # fmt: skip
    aligned = {(ARGUMENTS.index(name),): [["tt.divisibility", 16]] for name in ("x", "y")}  # as where it is launched
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=train, signature=signature, constexprs=constants, attrs=aligned)
    options = {"num_warps": variant.warps, "num_stages": 1}
    compiled = triton.compile(source, target=GPUTarget("cuda", architecture, 32), options=options)
    return Usage(*_registers(compiled.asm["ptx"], architecture), _instructions(compiled.asm["cubin"]))


def _registers(ptx: str, architecture: int) -> tuple[int, int]:
    suffix = "a" if architecture >= 90 else ""
    command = [triton.knobs.nvidia.ptxas.path, "-v", f"--gpu-name=sm_{architecture}{suffix}", "-o", os.devnull, "-"]
    said = subprocess.run(command, input=ptx, capture_output=True, text=True, check=True).stderr
    registers, spilled = (re.findall(words, said) for words in (r"Used (\d+) registers", r"(\d+) bytes spill stores"))
    return int(registers[0]), int(spilled[0])


def _instructions(cubin: bytes) -> int:
    """Those between the two ends of the longest loop: NVIDIA's disassembler names the places that are jumped to."""
    with NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(cubin)
        command = [triton.knobs.nvidia.nvdisasm.path, "-c", file.name]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    places: dict[str, int] = {}
    count = longest = 0
    for line in lines:
        if label := re.match(r"(\.L_\w+):", line.strip()):
            places[label[1]] = count
        elif re.match(r"/\*[0-9a-f]{4,}\*/", line.strip()):
            count += 1
            if (jump := re.search(r"BRA.*`\((\.L_\w+)\)", line)) and jump[1] in places:
                longest = max(longest, count - places[jump[1]])
    return longest


def issue_share(member_steps: int, seconds: float) -> float:
    """The share of its instructions that this machine's first GPU issued, at its highest clock, in so many seconds.

    For members of `autograd` with 2,000 points in float32, one warp each; an SM issues four instructions a cycle.
    """
    import pynvml
    import torch

    major, minor = torch.cuda.get_device_capability()
    multiprocessors = torch.cuda.get_device_properties(0).multi_processor_count
    pynvml.nvmlInit()
    clock = pynvml.nvmlDeviceGetMaxClockInfo(pynvml.nvmlDeviceGetHandleByIndex(0), pynvml.NVML_CLOCK_SM) * 1e6
    needed = usage_of(Variant("polynomial", 4, "mse", "sgd"), 10 * major + minor).instructions * member_steps
    return float(needed / (multiprocessors * 4 * clock * seconds))


def _row(variant: Variant) -> Row:
    used = {gpu: usage_of(variant, architecture) for architecture, gpu in ARCHITECTURES.items()}
    measured = ", ".join(
        f"{gpu}: {each.registers} registers, {each.spilled_bytes} B, {each.instructions:,}"
        for gpu, each in used.items()
    )
    return Row(str(variant), measured)


def main() -> None:
    """Compile, print, and write the results down."""
    load, _, _ = os.getloadavg()
    rows = [_row(variant) for variant in _variants()]
    print(table(rows))
    write_results("Registers of the fused kernel", "python -m bench.fused_kernel", NOTES, load, rows)


if __name__ == "__main__":
    main()
