"""The facts of a stage. They load without torch: the trainer is a dotted path that only the runner imports."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gradyard.jobs.specs.base import JobSpec

Mode = Literal["min", "max"]

COMPILED = ("fused", "cudagraph", "inductor", "blas")
"""The engines of `execution: compiled`, best first: one GPU kernel for many steps, CUDA graphs, torch.compile, numpy's
matrix products."""

ARRAYS_ON_GPU = {"fused": 4}
"""Arrays of (members, points) of engines that have fewer than their stage: x and y of each member's own, and copies."""

GPU_SHARE = 0.75
"""The share of a GPU's free memory that a pack may use; torch's allocator rounds up, and caches what it frees."""


@dataclass(frozen=True)
class Stage:
    """What is known of a stage without loading its trainer.

    `pack_bytes`: by dtype, the most bytes of one array of a pack, (members, points), that stay in the cache; a larger
    pack trains slower. `widest`: the most members of a pack. `widest_on_gpu`: the most members on a GPU, where the free
    memory is a limit too: a step has at most `arrays_on_gpu` such arrays at once. `numerics_version`: raise it whenever
    the stage's arithmetic changes, so that no checkpoint is resumed by different arithmetic. `compiled_pays_from`: the
    job-steps (jobs times steps) from which a cold compile on one worker saves more time than it costs. `metric` and
    `mode` say which of its jobs is best: the one with the smallest ("min") or largest ("max") value of that metric, of
    the final weights; "loss" is the last loss.
    """

    name: str
    title: str
    description: str
    spec: type[JobSpec]
    trainer: str
    devices: tuple[str, ...] = ("cpu", "gpu")
    packable: bool = True
    pack_bytes: Mapping[str, int] = field(default_factory=lambda: {"float32": 2**20, "float64": 2**20})
    widest: int = 512
    widest_on_gpu: int = 4096
    arrays_on_gpu: int = 64
    numerics_version: int = 1
    compiled_pays_from: int | None = None
    engines: Mapping[str, str] = field(default_factory=dict)
    metric: str = "loss"
    mode: Mode = "min"

    def engine_for(self, execution: str, available: Collection[str]) -> str:
        """The engine for a job of that `execution` on a worker with the engines `available`.

        "compiled" becomes "eager" where the worker has no compiler or the stage has no compiled trainer.
        """
        if execution == "compiled":
            return next((name for name in COMPILED if name in self.engines and name in available), "eager")
        return execution

    def trainer_of(self, engine: str) -> str:
        """The dotted path of the engine's trainer."""
        return self.trainer if engine == "eager" else self.engines[engine]

    def executions(self) -> tuple[str, ...]:
        """The values of `execution` that a spec of this stage may have."""
        return ("eager", "compiled", *(name for name in ("gram",) if name in self.engines))

    def width(
        self, dtype: str, points: int, engine: str = "eager", device: str = "cpu", memory_mib: int | None = None,
        member_mib: int | None = None,
    ) -> int:  # fmt: skip
        """The most members of a pack of this stage; in float32 at 2,000 points 64 for most stages.

        Only eager packs on a CPU are limited by the cache: the other engines work in registers or in blocks. A GPU is
        faster the more work it has at once. Where it has `memory_mib` free, each member takes the memory of its arrays,
        or `member_mib` where its spec asks for more.
        """
        if not self.packable:
            return 1
        one = points * (8 if dtype == "float64" else 4)
        if device == "gpu":
            arrays = ARRAYS_ON_GPU.get(engine, self.arrays_on_gpu)
            return self._width_on_gpu(max(one * arrays, (member_mib or 0) * 2**20), memory_mib)
        return self.widest if engine != "eager" else max(1, min(self.widest, self.pack_bytes[dtype] // one))

    def _width_on_gpu(self, member_bytes: int, memory_mib: int | None) -> int:
        if memory_mib is None:
            return self.widest_on_gpu
        return max(1, min(self.widest_on_gpu, int(memory_mib * 2**20 * GPU_SHARE) // member_bytes))

    def defaults(self) -> dict[str, Any]:
        """The full spec of the job `{"stage": name}`."""
        return self.spec(stage=self.name).as_json()
