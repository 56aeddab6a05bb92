"""How fast each stage trains on a CPU slot and on a GPU: the one table behind `device: auto` and `gpu_pays`.

The figures are good to a factor of two on machines like these. `docs/stages.md` shows the same table.
"""

from dataclasses import dataclass

POINTS_OF_A_MEMBER = 2000  # with which all of these were measured
CPU_MACHINE = "one core of an Intel Xeon, torch 2.13, 2026-11-25"
GPU_MACHINE = "one NVIDIA H100 80GB, torch 2.11, 2026-11-27"

COLD_START_SECONDS = {"cpu": 1.4, "gpu": 8.0}
"""What the first pack of a runner waits for besides: the import of torch, and on a GPU the start of CUDA."""


@dataclass(frozen=True)
class Speed:
    """How long one slot takes for a step of a pack, in microseconds, at 2,000 points a member in float32.

    A step takes the longest of three times: `step_us`, however narrow the pack; `alone_us`, the arithmetic of one
    member that has one processor to itself; `member_us` times the members. Before the first step it takes
    `start_seconds` in a runner that is warm, and `compile_seconds` where no job of that shape was compiled before.
    measured: False for a figure taken over from a similar stage or from a prototype.
    """

    step_us: float
    member_us: float
    start_seconds: float
    alone_us: float = 0.0
    compile_seconds: float = 0.0
    measured: bool = True


EAGER = {
    "tensor": (Speed(26, 2.5, 0.01), Speed(180, 0.09, 0.3)),
    "autograd": (Speed(77, 4.8, 0.01), Speed(410, 0.09, 0.3)),
    "function": (Speed(119, 8.7, 0.01), Speed(660, 0.16, 0.3)),
    "nn": (Speed(80, 5.5, 0.01), Speed(450, 0.09, 0.3)),
    "optim": (Speed(147, 6.9, 0.01), Speed(640, 0.09, 0.3)),
    "module": (Speed(112, 5.1, 0.01), Speed(780, 0.09, 0.3)),
    "dynamic": (Speed(157, 11.6, 0.01), Speed(690, 0.13, 0.3)),
}
"""By stage, eager on a CPU slot and on a GPU."""

COMPILED_SPEEDS = {
    ("cpu", "inductor"): Speed(5, 0.4, 0.01, compile_seconds=15.0),
    ("gpu", "cudagraph"): Speed(43, 0.18, 0.5),
    ("gpu", "fused"): Speed(0.58, 0.0014, 0.3, alone_us=0.22),
}
"""By device and engine, for all of these stages: they differ by less than a factor of three."""


def speed_of(stage: str, engine: str, device: str) -> Speed | None:
    """The speed of a stage with that engine on a `cpu` slot or a `gpu`; None where it was never measured."""
    if stage not in EAGER:
        return None
    if engine == "eager":
        return EAGER[stage][device == "gpu"]
    return COMPILED_SPEEDS.get((device, engine))
