"""What the author of a stage imports: facts for the API, and tools for the trainer in a runner.

    from gradyard.stages import JobSpec, Stage                           # facts: load without torch
    from gradyard.stages import MemberError, normals, torch_rows         # trainer: in the runner alone

Names are loaded on first use, so that facts never load torch, which the API does not have.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradyard.jobs.numbers.draws import Stream, normals, uniforms
    from gradyard.jobs.specs.base import JobSpec
    from gradyard.jobs.stages.stage import Stage
    from workers.trainers.contract import FindsArrays, FindsCoefficients, Measures, Member, MemberError, Trainer
    from workers.trainers.inputs.datasets import numpy_rows
    from workers.trainers.inputs.torch_datasets import torch_dtype, torch_rows

_CONTRACT = ("FindsArrays", "FindsCoefficients", "Measures", "Member", "MemberError", "Trainer")
_HOMES = {
    "JobSpec": "gradyard.jobs.specs.base",
    "Stage": "gradyard.jobs.stages.stage",
    **dict.fromkeys(_CONTRACT, "workers.trainers.contract"),
    "numpy_rows": "workers.trainers.inputs.datasets",
    **dict.fromkeys(("Stream", "normals", "uniforms"), "gradyard.jobs.numbers.draws"),
    **dict.fromkeys(("torch_dtype", "torch_rows"), "workers.trainers.inputs.torch_datasets"),
}

__all__ = [
    "FindsArrays",
    "FindsCoefficients",
    "JobSpec",
    "Measures",
    "Member",
    "MemberError",
    "Stage",
    "Stream",
    "Trainer",
    "normals",
    "numpy_rows",
    "torch_dtype",
    "torch_rows",
    "uniforms",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
