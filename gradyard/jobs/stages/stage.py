"""A stage as facts. It loads without torch: the trainer is a dotted path that the runner alone imports."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradyard.jobs.specs.base import JobSpec

COMPILED = ("cudagraph", "inductor", "blas")
"""The engines of `execution: compiled`, the best first: CUDA graphs, torch.compile, numpy's matrix products."""

GPU_SHARE = 0.75
"""Of a GPU's free memory that a pack may be planned to take; torch's allocator rounds up, and keeps what it frees."""


@dataclass(frozen=True)
class Stage:
    """What is known of a stage without loading its trainer.

    `pack_bytes` is, by dtype, how large one array of a pack, (members, points), may grow before it falls out of the
    cache and a member trains slower; `widest` caps the members all the same. On a GPU `widest_on_gpu` does, and the
    memory that is free: of such arrays a step has at most `arrays_on_gpu` at once. `numerics_version` is raised by hand
    whenever the stage's arithmetic changes, so that no checkpoint is resumed by other arithmetic. From
    `compiled_pays_from` job-steps (jobs times steps) on, a cold compile on one worker has paid for itself.
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

    def engine_for(self, execution: str, there: Collection[str]) -> str:
        """What a worker that has the engines `there` trains a job of that execution with.

        "compiled" is "eager" where nothing else is there: no compiler, or a trainer that has no other form.
        """
        if execution == "compiled":
            return next((name for name in COMPILED if name in self.engines and name in there), "eager")
        return execution

    def trainer_of(self, engine: str) -> str:
        """The dotted path of the trainer that this engine is."""
        return self.trainer if engine == "eager" else self.engines[engine]

    def executions(self) -> tuple[str, ...]:
        """What a spec of this stage may ask for."""
        return ("eager", "compiled", *(name for name in ("gram",) if name in self.engines))

    def width(
        self, dtype: str, points: int, engine: str = "eager", device: str = "cpu", memory_mib: int | None = None,
        member_mib: int | None = None,
    ) -> int:  # fmt: skip
        """How many members a pack of this stage may have: 64 of most stages in float32 at 2,000 points.

        The other engines keep what they work on in registers or in blocks of their own, and are cut by nothing; a GPU
        is the faster, the more it has to do at once. Of one with `memory_mib` free each member takes what its arrays
        need, or `member_mib` where its owner asked for more.
        """
        if not self.packable:
            return 1
        one = points * (8 if dtype == "float64" else 4)
        if device == "gpu":
            return self._width_on_gpu(max(one * self.arrays_on_gpu, (member_mib or 0) * 2**20), memory_mib)
        return self.widest if engine != "eager" else max(1, min(self.widest, self.pack_bytes[dtype] // one))

    def _width_on_gpu(self, member_bytes: int, memory_mib: int | None) -> int:
        if memory_mib is None:
            return self.widest_on_gpu
        return max(1, min(self.widest_on_gpu, int(memory_mib * 2**20 * GPU_SHARE) // member_bytes))

    def defaults(self) -> dict[str, Any]:
        """The spec that `{"stage": name}` alone stands for."""
        return self.spec(stage=self.name).as_json()
