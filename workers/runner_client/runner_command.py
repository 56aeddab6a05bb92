"""How a runner is called, and what it may know: no database, no Redis, no key."""

import os
import sys

from gradyard.jobs.settings import Settings
from workers.pool.gpus.fake import FakeInventory
from workers.runner.numerics import gpu_environment, one_thread_environment

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "TZ",
         "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "TORCHINDUCTOR_CACHE_DIR")  # fmt: skip


def runner_command(settings: Settings, wire: int, *, spare: bool) -> list[str]:
    """The arguments of a runner that talks over the socket `wire` to this process."""
    # -u: what a trainer prints is in the pipe before the frame that ends its attempt
    command = [sys.executable, "-u", "-m", "workers.runner", "--wire", str(wire), "--parent", str(os.getpid())]
    command += ["--device", settings.torch_device, "--device-name", settings.device_name or settings.device]
    command += ["--idle-seconds", str(settings.idle_runner_seconds)]
    command += ["--spare"] if spare else []
    command += ["--allow-tf32"] if settings.allow_tf32 else []
    if (
        settings.fake_gpus
        and settings.device_uuid
        and (fails := FakeInventory(settings.fake_gpus).failure(settings.device_uuid))
    ):
        command += ["--device-fails", fails]
    return command + (["--cpus", ",".join(map(str, settings.cpus))] if settings.cpus else [])


def runner_environment(settings: Settings) -> dict[str, str]:
    """All that it finds in its environment. Set before torch is imported: it sees exactly one device, or none."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return kept | one_thread_environment() | gpu_environment() | {"CUDA_VISIBLE_DEVICES": settings.device_uuid or ""}
