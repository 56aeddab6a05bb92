"""What the hottest kernels of each engine do to a GPU, by its own counters: bytes a second, instructions a cycle.

python -m bench.gpu_counters     (needs a GPU, and NVIDIA's profiler `ncu` in the PATH or in CUDA_HOME/bin)
"""

import csv
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from bench.report import Row, table, write_results

WIDTH, STEPS = 4096, 10
ENGINES = ("eager", "cudagraph", "fused")
METRICS = {
    "gpu__time_duration.sum": "ns", "dram__bytes.sum": "bytes", "smsp__inst_executed.sum": "instructions",
    "smsp__issue_active.avg.pct_of_peak_sustained_elapsed": "issue",
}  # fmt: skip
HOTTEST = 3
NOTES = f"""Of each engine the {HOTTEST} kernels that take most of the time of {STEPS} steps of {WIDTH:,} `autograd`
jobs (2,000 points, float32): their share of the time, bytes to and from the memory of the GPU a second, and the share
of cycles in which a scheduler issues an instruction (its limit is 100 %). The profiler runs a kernel alone, from a cold
cache."""


class Counters(NamedTuple):
    """Of all runs of one kernel."""

    name: str
    ns: float
    moved: float
    instructions: float
    issue: float

    def in_words(self, all_ns: float) -> str:
        """A line for a person."""
        return (
            f"{self.name}: {self.ns / all_ns:.0%}, {self.moved / self.ns / 1e3:.2f} TB/s, issues {self.issue:.0f} %, "
            f"{self.instructions / STEPS / WIDTH:,.0f} warp instructions a member-step"
        )


def main() -> None:
    """Measure, print, and write the results down; with an engine's name: be the process that is measured."""
    if len(sys.argv) > 1:
        _train(sys.argv[1])
        return
    load, _, _ = os.getloadavg()
    rows = list(_rows())
    print(table(rows))
    write_results("Counters of a GPU", "python -m bench.gpu_counters", NOTES, load, rows)


def _train(engine: str) -> None:
    import torch

    from bench import gpu
    from workers.runner.numerics import same_bits_on_gpu

    same_bits_on_gpu(allow_tf32=False)
    trainer = gpu.ENGINES[engine](gpu._members(WIDTH))
    gpu._seconds(trainer, 10)
    torch.cuda.cudart().cudaProfilerStart()
    gpu._seconds(trainer, STEPS)
    torch.cuda.cudart().cudaProfilerStop()


def _rows() -> Iterator[Row]:
    ncu = shutil.which("ncu") or shutil.which("ncu", path=f"{os.environ.get('CUDA_HOME', '/usr/local/cuda')}/bin")
    if ncu is None:
        yield Row("all measurements", "not run: the profiler ncu is not on this machine")
        return
    for engine in ENGINES:
        command = [ncu, "--csv", "--profile-from-start", "off", "--graph-profiling", "node", "--clock-control", "none",
                   "--metrics", ",".join(METRICS), sys.executable, "-m", "bench.gpu_counters", engine]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        kernels = _kernels(done.stdout)
        if not kernels:
            yield Row(engine, f"failed: {(done.stderr or done.stdout).strip().splitlines()[-1][:150]}")
            continue
        all_ns = sum(each.ns for each in kernels)
        for each in kernels[:HOTTEST]:
            yield Row(engine, each.in_words(all_ns))


def _kernels(printed: str) -> list[Counters]:
    """From the CSV that ncu prints after the program's own lines; the hottest kernel first."""
    lines = printed.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith('"ID"')), len(lines))
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in csv.DictReader(lines[begin:]):
        if row["Metric Name"] in METRICS:
            value = float(row["Metric Value"].replace(",", "")) * _factor(row["Metric Unit"])
            sums[row["Kernel Name"]][METRICS[row["Metric Name"]]].append(value)
    made = [
        Counters(
            _short(name), sum(of["ns"]), sum(of["bytes"]), sum(of["instructions"]), sum(of["issue"]) / len(of["ns"])
        )
        for name, of in sums.items()
    ]
    return sorted(made, key=lambda each: -each.ns)


def _factor(unit: str) -> float:
    """To nanoseconds and bytes."""
    sizes = {"us": 1e3, "ms": 1e6, "s": 1e9, "Kbyte": 1e3, "Mbyte": 1e6, "Gbyte": 1e9, "usecond": 1e3, "msecond": 1e6}
    return sizes.get(unit, 1.0)


def _short(name: str) -> str:
    """The kernel's name without its namespaces and arguments."""
    return name.partition("(")[0].partition("<")[0].rpartition("::")[2].removeprefix("void ") or name[:40]


if __name__ == "__main__":
    main()
