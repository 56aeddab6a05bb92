"""What the hardware counts while the hottest kernels run, by NVIDIA's profiler `ncu`."""

import csv
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bench.gpu_steps import ENGINES, kernel_seconds, members_of, seconds_of
from bench.report import Row

NOTES = """Of one kernel, or of those that take most of a step: microseconds, the bytes that pass the GPU's memory in a
second and their share of its bandwidth, the share of the instructions that its processors can issue, and the warps that
are active of those that fit. `ncu` repeats each kernel for its counters, with fixed clocks and emptied caches."""
METRICS = {
    "gpu__time_duration.sum": "nanoseconds",
    "dram__bytes.sum.per_second": "bytes_per_second",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed": "bandwidth",
    "sm__inst_issued.avg.pct_of_peak_sustained_elapsed": "issued",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "warps",
}
NCU = "/usr/local/cuda/bin/ncu"  # where NVIDIA's packages put it, often outside PATH
CASES = (
    ("fused", 4096, 2000, 400, ("--kernel-name", "train", "--launch-count", "2")),
    ("fused", 128, 1_000_000, 20, ("--kernel-name", "train", "--launch-count", "2")),
    ("eager", 4096, 2000, 4, ("--launch-skip", "40", "--launch-count", "40")),
)
SHOWN = 3  # kernels of a case
LONGEST_SECONDS = 60


@dataclass
class Counted:
    """What was counted of the launches of one kernel."""

    name: str
    launches: list[dict[str, float]]

    @property
    def nanoseconds(self) -> float:
        """Of all its launches."""
        return sum(each["nanoseconds"] for each in self.launches)

    def mean(self, metric: str) -> float:
        """Over its launches, by their time."""
        return sum(each[metric] * each["nanoseconds"] for each in self.launches) / self.nanoseconds

    def __str__(self) -> str:
        each = self.nanoseconds / len(self.launches) / 1e3
        rate = f"{self.mean('bytes_per_second') / 1e12:.2f} TB/s ({self.mean('bandwidth'):.0f}%)"
        return f"{each:,.1f} us, {rate}, issued {self.mean('issued'):.0f}%, warps {self.mean('warps'):.0f}%"


def rows() -> Iterator[Row]:
    """A row for each of the hottest kernels of each case."""
    profiler = shutil.which("ncu") or shutil.which(NCU)
    if profiler is None:
        yield Row("all counters", "not run: this machine has no ncu")
        return
    for engine, width, points, steps, which in CASES:
        case = f"{engine}, {width:,} wide, {points:,} points"
        try:
            kernels = counted(_profile(profiler, (engine, width, points, steps), which))
        except (OSError, subprocess.SubprocessError) as error:
            yield Row(case, f"failed: {error}")
            continue
        if not kernels:
            yield Row(case, "no kernel was counted")
        for kernel in kernels[:SHOWN]:
            yield Row(f"{case}: {kernel.name}", str(kernel))


def _profile(profiler: str, case: tuple[str, int, int, int], which: tuple[str, ...]) -> str:
    command = [profiler, "--csv", "--print-units", "base", "--metrics", ",".join(METRICS), *which]
    command += [sys.executable, "-m", "bench.gpu_counters", *map(str, case)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    return done.stdout


def counted(output: str) -> list[Counted]:
    """The kernels in the CSV of `ncu`, the one that took most time first."""
    table = [line for line in output.splitlines() if line.startswith('"')]
    launches: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for line in csv.DictReader(table):
        if name := METRICS.get(line["Metric Name"]):
            launches[line["ID"], short(line["Kernel Name"])][name] = float(line["Metric Value"].replace(",", ""))
    kernels: dict[str, list[dict[str, float]]] = defaultdict(list)
    for (_, name), counters in launches.items():
        if set(counters) == set(METRICS.values()):
            kernels[name].append(counters)
    return sorted((Counted(*each) for each in kernels.items()), key=lambda kernel: -kernel.nanoseconds)


def short(name: str) -> str:
    """The name of a kernel without the types of its template but for the operation in them."""
    outer = name.removeprefix("void ").partition("<")[0].rpartition("::")[2]
    for operation in ("addcmul", "CUDAFunctor_add", "MulFunctor", "sum_functor", "pow", "FillFunctor", "direct_copy"):
        if operation in name:
            return f"{outer} {operation}"
    return outer.partition("(")[0]


def train(engine: str, width: int, points: int, steps: int) -> None:
    """What is profiled: steps of one engine, compiled before."""
    trainer = ENGINES[engine](members_of(width, points))
    measure = kernel_seconds if engine == "fused" else seconds_of
    for _ in range(2):
        measure(trainer, steps)


if __name__ == "__main__":
    train(sys.argv[1], *map(int, sys.argv[2:]))
