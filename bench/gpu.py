"""The cost of a step on a GPU by width and points, and ten thousand jobs against the tutorial's loop on the same GPU.

python -m bench.gpu
"""

import gc
import os
import sys
import time
from collections.abc import Iterator
from statistics import median

import httpx
import torch

from bench.gpu_steps import ENGINES, eager, fused, kernel_seconds, members_of, nanoseconds, seconds_of
from bench.report import Row, write_results
from bench.scripts import START
from bench.service import service
from gradyard.jobs.stages.registry import stage_named
from tests.tutorial_loops import LOOPS
from workers.runner.numerics import gpu_environment, one_thread, same_bits_on_gpu

JOBS, STEPS, ROUNDS = 10_000, 2000, 3
LEAST, MOST_SECONDS, LEAST_ALONE, LEAST_ISSUED = 1000, 5.0, 100, 0.3
WIDTHS = (1, 32, 64, 128, 256, 512, 1024, 4096)
SHAPES = ((20_000, 1), (20_000, 1024), (1_000_000, 1), (1_000_000, 128))
NOTES = f"""Nanoseconds of one step of one member of `autograd` by the width of the pack, 2,000 points in float32 unless
another number is named, without a service. Then a lone job and {JOBS:,} jobs of {STEPS:,} steps without a service. Last
{JOBS:,} jobs from the POST of a sweep over seeds until every result and loss is in SQLite, against {JOBS:,} times the
seconds of the tutorial's loop on the same GPU. {ROUNDS} rounds, both in turn; median (least-most)."""


def main() -> None:
    """Measure. Print and store each result at once, so that an interrupt (SIGINT) loses only the running one."""
    load, _, _ = os.getloadavg()
    where = f"GPU: {torch.cuda.get_device_name()}.\n\n" if torch.cuda.is_available() else ""
    rows: list[Row] = []
    try:
        for row in _rows():
            rows.append(row)
            print(f"| {' | '.join(row.cells())} |", flush=True)
            write_results("On a GPU", "python -m bench.gpu", where + NOTES, load, rows)
    except KeyboardInterrupt:
        sys.exit(f"interrupted: {len(rows)} results are stored, the rest was not measured")


def _rows() -> Iterator[Row]:
    """Widths come first: the service takes longest, and an interrupted measurement of it gives no result."""
    if not torch.cuda.is_available():
        yield Row("all measurements", "not run: torch sees no GPU on this machine")
        return
    os.environ.update(gpu_environment())
    one_thread()
    same_bits_on_gpu(allow_tf32=False)
    for width in WIDTHS:
        yield Row(f"a step of a member, {width:,} wide", ", ".join(_forms(width)))
    for points, width in SHAPES:
        yield Row(f"a step of a member, {points:,} points, {width:,} wide", ", ".join(_forms(width, points)))
    yield from _kernels_alone()
    yield from _jobs()


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


def _jobs() -> Iterator[Row]:
    with service(gpus="0") as client:  # one GPU, as for the loop
        for execution in ("compiled", "eager"):
            yield _ratio(client, execution)


def _ratio(client: httpx.Client, execution: str) -> Row:
    _batch(client, execution, 64)  # warm: the runner has torch and a context
    pairs = []
    for _ in range(ROUNDS):
        pairs.append((_batch(client, execution, JOBS), _loop() * JOBS))
        print("{execution}: {:.1f} s, the loop {:,.0f} s".format(*pairs[-1], execution=execution), flush=True)
    ratios = [theirs / ours for ours, theirs in pairs]
    ours = median(each for each, _ in pairs)
    measured = (
        f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {ours:.1f} s, {JOBS / ours:,.0f} jobs/s"
    )
    met, target = median(ratios) >= LEAST, f">= {LEAST:,}x"
    if execution == "compiled":
        met, target = met and ours < MOST_SECONDS, f"{target}, < {MOST_SECONDS:g} s"
    return Row(f"{JOBS:,} jobs, {execution}", measured, target, met)


def _batch(client: httpx.Client, execution: str, jobs: int) -> float:
    """Seconds from the POST of a sweep until all its jobs have succeeded."""
    spec = {"stage": "autograd", "device": "gpu", "execution": execution, "steps": STEPS}
    began = time.perf_counter()
    posted = client.post("/v1/batches", json={"spec": spec, "grid": {"seed": {"stop": jobs}}})
    location = posted.raise_for_status().headers["Location"]
    while (batch := client.get(location).raise_for_status().json())["state"] != "finished":
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    assert batch["counts"]["succeeded"] == jobs, batch
    return seconds


def _loop() -> float:
    """Seconds that the tutorial's loop takes for one job on the GPU."""
    rate = stage_named("autograd").defaults()["learning_rate"]
    with torch.device("cuda"):
        LOOPS["autograd"](START, 100, rate)  # warm
        torch.cuda.synchronize()
        began = time.perf_counter()
        LOOPS["autograd"](START, STEPS, rate)
        torch.cuda.synchronize()
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
