"""The command and the environment of a runner. It gets no database, no Redis and no key."""

import os
import sys
from typing import Literal

from gradyard.jobs.settings import Settings
from workers.pool.gpus.fake import FakeInventory
from workers.runner.numerics import gpu_environment, one_thread_environment

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "TZ",
         "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR",
         "CC")  # fmt: skip


def runner_command(settings: Settings, talks: Literal["--wire", "--requests"], descriptor: int) -> list[str]:
    """The arguments of a runner that talks to this process over that socket, or of the process that forks runners."""
    # -u: what a trainer prints is in the pipe before the message that ends its attempt
    command = [sys.executable, "-P", "-u", "-m", "workers.runner", talks, str(descriptor), "--parent", str(os.getpid())]
    command += ["--device", settings.torch_device, "--device-name", settings.device_name or settings.device]
    command += ["--idle-seconds", str(settings.idle_runner_seconds)]
    command += ["--allow-tf32"] if settings.allow_tf32 else []
    if (
        settings.fake_gpus
        and settings.device_uuid
        and (failure := FakeInventory(settings.fake_gpus).failure(settings.device_uuid))
    ):
        command += ["--device-fails", failure]
    return command + (["--cpus", ",".join(map(str, settings.cpus))] if settings.cpus else [])


def runner_environment(settings: Settings) -> dict[str, str]:
    """The runner's whole environment. CUDA reads it when torch is imported: the runner sees one device, or none."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return kept | one_thread_environment() | gpu_environment() | {"CUDA_VISIBLE_DEVICES": settings.device_uuid or ""}
