"""What a runner has to load for a trainer beside torch, known before it does."""

_WITHOUT_OPTIM = {f"workers.trainers.{name}" for name in (
    "stage1_numpy", "stage2_tensor", "stage3_autograd", "stage4_function", "stage5_nn", "compiled.blas", "compiled.gram"
)}  # fmt: skip


def needs_optim(trainer: str) -> bool:
    """Whether the trainer, as `module:Class`, needs torch.optim, or what that loads. True of all trainers of others."""
    return trainer.partition(":")[0] not in _WITHOUT_OPTIM
