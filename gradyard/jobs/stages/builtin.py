"""The eight stages of the tutorial, as facts."""

from gradyard.jobs.specs import builtin as specs
from gradyard.jobs.stages.stage import Stage

GRAM = {"gram": "workers.trainers.compiled.gram:Trainer"}
ON_TORCH = {
    "inductor": "workers.trainers.compiled.static_graph:Trainer",
    "cudagraph": "workers.trainers.compiled.cuda_graph:Trainer",
    "fused": "workers.trainers.fused.trainer:Trainer",
}
ON_NUMPY = {"blas": "workers.trainers.compiled.blas:Trainer"}


def _fastest(float32: int, float64: int) -> dict[str, int]:
    """`pack_bytes` for the widths that `bench/widths.py` measured as fastest.

    The measurement: 2,000 points, on a host whose other cores train such packs too.
    """
    return {"float32": float32 * 2000 * 4, "float64": float64 * 2000 * 8}


BUILT_IN = (
    Stage("numpy", "numpy", "gradients by hand, on arrays", specs.NumpySpec,
          "workers.trainers.stage1_numpy:Trainer", devices=("cpu",), engines=ON_NUMPY | GRAM,
          pack_bytes=_fastest(48, 16), numerics_version=2, compiled_pays_from=0),
    Stage("tensor", "Tensors", "gradients by hand, on tensors of any device", specs.TensorSpec,
          "workers.trainers.stage2_tensor:Trainer", engines=ON_TORCH | GRAM,
          pack_bytes=_fastest(64, 32), compiled_pays_from=7_200_000),
    Stage("autograd", "Tensors and autograd", "loss.backward() finds the gradients", specs.AutogradSpec,
          "workers.trainers.stage3_autograd:Trainer", engines=ON_TORCH | GRAM,
          pack_bytes=_fastest(64, 32), compiled_pays_from=3_700_000),
    Stage("function", "Defining new autograd functions", "a torch.autograd.Function of one's own: Legendre's P3",
          specs.FunctionSpec, "workers.trainers.stage4_function:Trainer", engines=ON_TORCH,
          pack_bytes=_fastest(64, 32), compiled_pays_from=2_400_000),
    Stage("nn", "nn", "torch.nn.Sequential and a loss from torch.nn", specs.NnSpec,
          "workers.trainers.stage5_nn:Trainer", engines=ON_TORCH | GRAM,
          pack_bytes=_fastest(64, 48), compiled_pays_from=3_900_000),
    Stage("optim", "optim", "torch.optim updates the weights", specs.OptimSpec,
          "workers.trainers.stage6_optim:Trainer", engines=ON_TORCH | GRAM,
          pack_bytes=_fastest(96, 48), compiled_pays_from=3_500_000),
    Stage("module", "Custom nn modules", "a torch.nn.Module of one's own, trained by SGD", specs.ModuleSpec,
          "workers.trainers.stage7_module:Trainer", engines=ON_TORCH | GRAM,
          pack_bytes=_fastest(64, 32), compiled_pays_from=3_000_000),
    Stage("dynamic", "Control flow and weight sharing", "order 3, 4 or 5, drawn anew each step, sharing e",
          specs.DynamicSpec, "workers.trainers.stage8_control_flow:Trainer", engines=ON_TORCH,
          pack_bytes=_fastest(128, 64), compiled_pays_from=3_700_000),
)  # fmt: skip
