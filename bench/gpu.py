"""On a GPU: the cost of a step by width and points, ten thousand jobs of the service, and what the hardware counts.

python -m bench.gpu [steps] [jobs] [counters]
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from statistics import median

import torch

from bench import gpu_counters, gpu_jobs
from bench.gpu_jobs import JOBS, STEPS
from bench.gpu_steps import ENGINES, eager, fused, kernel_seconds, members_of, nanoseconds, seconds_of
from bench.report import Row, write_results
from gradyard.jobs.stages.registry import stage_named
from workers.runner.numerics import gpu_environment, one_thread, same_bits_on_gpu

ROUNDS = 3
LEAST_ALONE, LEAST_ISSUED = 100, 0.3
WIDTHS = (1, 32, 64, 128, 256, 512, 1024, 4096)
SHAPES = ((20_000, 1), (20_000, 1024), (1_000_000, 1), (1_000_000, 128))
NOTES = f"""Nanoseconds of one step of one member of `autograd` by the width of the pack, 2,000 points in float32 unless
another number is named, without a service. Then a lone job and {JOBS:,} jobs of {STEPS:,} steps without a service;
median of {ROUNDS}."""


def main(*parts: str) -> None:
    """Measure these parts, or all. Print and store each result at once: an interrupt loses only the running one."""
    os.environ.update(gpu_environment())
    one_thread()
    same_bits_on_gpu(allow_tf32=False)
    for part in parts or PARTS:
        title, notes, measure = PARTS[part]
        _measure(part, title, notes, measure)


def _measure(part: str, title: str, notes: str, measure: Callable[[], Iterator[Row]]) -> None:
    load, _, _ = os.getloadavg()
    there = torch.cuda.is_available()
    where = f"GPU: {torch.cuda.get_device_name()}.\n\n" if there else ""
    rows: list[Row] = []
    try:
        for row in measure() if there else [Row("all measurements", "not run: torch sees no GPU on this machine")]:
            rows.append(row)
            print(f"| {' | '.join(row.cells())} |", flush=True)
            write_results(title, f"python -m bench.gpu {part}", where + notes, load, rows)
    except KeyboardInterrupt:
        sys.exit(f"interrupted in {part}: {len(rows)} results of it are stored, the rest was not measured")


def steps_of_widths() -> Iterator[Row]:
    """A step by the width of a pack and by points, then a job and ten thousand without a service."""
    for width in WIDTHS:
        yield Row(f"a step of a member, {width:,} wide", ", ".join(_forms(width)))
    for points, width in SHAPES:
        yield Row(f"a step of a member, {points:,} points, {width:,} wide", ", ".join(_forms(width, points)))
    yield from _kernels_alone()


def _forms(width: int, points: int = 2000) -> Iterator[str]:
    for name, make in ENGINES.items():
        try:
            yield f"{name} {_digits(nanoseconds(make, width, points))} ns"
        except RuntimeError as error:  # an error of CUDA or torch: the other form and widths may still work
            yield f"{name} failed: {type(error).__name__}: {str(error).splitlines()[0][:100]}"
        gc.collect()
        torch.cuda.empty_cache()


def _digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _kernels_alone() -> Iterator[Row]:
    """The same steps without a service: a lone job, and all jobs in packs as wide as the service makes them."""
    from bench.fused_kernel import issue_share  # loads Triton

    slow, fast = seconds_of(eager(members_of(1)), STEPS), kernel_seconds(fused(members_of(1)), STEPS)
    measured = f"{slow / fast:,.0f}x: fused {1e3 * fast:.2f} ms, eager {1e3 * slow:,.0f} ms"
    yield Row(f"a lone job of {STEPS:,} steps, fused", measured, f">= {LEAST_ALONE}x eager", slow / fast >= LEAST_ALONE)
    widest = stage_named("autograd").widest_on_gpu
    packs = [fused(members_of(min(widest, JOBS - first))) for first in range(0, JOBS, widest)]
    seconds = median(sum(kernel_seconds(pack, STEPS) for pack in packs) for _ in range(ROUNDS))
    share = issue_share(JOBS * STEPS, seconds)
    measured = f"{1e3 * seconds:.1f} ms, {share:.0%} of the instructions that the GPU can issue"
    yield Row(f"{JOBS:,} jobs, fused, kernels alone", measured, f">= {LEAST_ISSUED:.0%}", share >= LEAST_ISSUED)


PARTS: dict[str, tuple[str, str, Callable[[], Iterator[Row]]]] = {
    "steps": ("On a GPU", NOTES, steps_of_widths),
    "jobs": ("Ten thousand jobs on a GPU", gpu_jobs.NOTES, gpu_jobs.rows),
    "counters": ("What a GPU counts", gpu_counters.NOTES, gpu_counters.rows),
}
"""The title of each part in the results, its notes, and what measures it."""


if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - set(PARTS):
        sys.exit(f"{', '.join(sorted(unknown))}: not a part; there are {', '.join(PARTS)}")
    main(*sys.argv[1:])
