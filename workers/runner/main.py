"""The process that has torch and the device. No SQL, no Redis, no secret: messages in, messages out."""

import argparse
import faulthandler
import gc
import importlib
import os
import signal
import socket
from contextlib import suppress
from typing import Any

from workers.protocol.frame import FrameBroken
from workers.protocol.messages import BegunMessage, HelloMessage, Message, NoDeviceMessage, NoStartMessage, TrainMessage
from workers.protocol.wire import Wire, WireClosed
from workers.runner.failed_message import failed_message, is_device_error
from workers.runner.forks import Forks
from workers.runner.machine import numerics_class, versions
from workers.runner.numerics import one_thread, same_bits_on_gpu
from workers.runner.process_control import call_this_process, die_with_parent
from workers.runner.training import Training


def main() -> None:
    """Train packs until the supervisor hangs up, or none came for `--idle-seconds`."""
    options = _options()
    faulthandler.enable()  # a crash in native code prints its traceback
    die_with_parent(options.parent)
    for signum in (signal.SIGTERM, signal.SIGINT):  # service managers signal the whole group; the supervisor decides
        signal.signal(signum, signal.SIG_IGN)
    with suppress(WireClosed):  # the supervisor has ended, so nothing needs this process
        if options.requests is not None:
            call_this_process("gradyard-forks")
            one_thread()
            options.wire = Forks(socket.socket(fileno=options.requests), options.idle_seconds).serve()
        call_this_process("gradyard-runner")
        _stay_on(options.cpus)
        _begin(Wire(socket.socket(fileno=options.wire)), options)


def _begin(wire: Wire, options: argparse.Namespace) -> None:
    if options.requests is None:
        one_thread()
    if options.device == "cuda":
        same_bits_on_gpu(options.allow_tf32)
    if problem := _problem_of_device(options):
        wire.send(problem)
        return
    wire.send(_hello(options))
    gc.freeze()  # torch's objects stay: a collection that visits them takes longer than a step of a pack
    _serve_packs(wire, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    socket_to = parser.add_mutually_exclusive_group(required=True)
    socket_to.add_argument("--wire", type=int, help="be a runner; the file descriptor of its socket to the supervisor")
    socket_to.add_argument("--requests", type=int, help="fork runners; where the supervisor asks for them")
    parser.add_argument("--parent", type=int, required=True, help="pid of the supervisor")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where torch computes")
    parser.add_argument("--device-name", default="cpu", help="the model of the device")
    parser.add_argument("--cpus", default="", help="the cores that this process may use, separated by commas")
    parser.add_argument("--idle-seconds", type=float, default=600.0, help="end after so many seconds without a pack")
    parser.add_argument("--allow-tf32", action="store_true", help="matrix products on a GPU may round to TF32")
    parser.add_argument("--device-fails", default=None, help="act as on a GPU that fails with this error (for tests)")
    return parser.parse_args()


def _problem_of_device(options: argparse.Namespace) -> Message | None:
    """Why the GPU cannot be used, found before a pack needs it; None where it computes."""
    if options.device_fails:
        return NoDeviceMessage(options.device_fails)
    if options.device != "cuda":
        return None
    import torch

    try:
        count, total = torch.cuda.device_count(), torch.ones(1024, device="cuda").sum().item()
    except Exception as error:  # neither a full GPU nor a host without a driver is a broken GPU
        full = "out of memory" in str(error).lower()
        reason = f"{type(error).__name__}: {error}"
        return NoDeviceMessage(reason) if is_device_error(error) and not full else NoStartMessage(reason)
    if count != 1:
        return NoStartMessage(f"the runner sees {count} GPUs instead of its own alone")
    return None if total == 1024 else NoDeviceMessage(f"1,024 ones add up to {total:g}")


def _hello(options: argparse.Namespace) -> HelloMessage:
    return HelloMessage(
        pid=os.getpid(), versions=versions(options.device), device=options.device_name,
        device_uuid=os.environ.get("CUDA_VISIBLE_DEVICES") or None, threads=1,
        numerics_class=numerics_class(options.device, options.device_name, options.allow_tf32),
    )  # fmt: skip


def _serve_packs(wire: Wire, options: argparse.Namespace) -> None:
    while (message := _receive_pack(wire, options.idle_seconds)) is not None:
        if isinstance(message, TrainMessage):  # else a drop or a stop, sent before the end of its pack was known
            wire.send(BegunMessage())  # from now on the pack may be the cause of a death
            Training(wire, message, lambda path, members: _make_trainer(path, members, options.device)).run()
        if options.device == "cuda":
            _free_gpu_memory()


def _receive_pack(wire: Wire, seconds: float) -> Message | None:
    """The next message. One that cannot be read counts against its pack: else that would be sent for ever."""
    try:
        return wire.receive(seconds)
    except FrameBroken as error:
        wire.send(BegunMessage())
        wire.send(failed_message(error, 0, ()))
        raise WireClosed from None  # what follows in the stream cannot be told apart


def _make_trainer(path: str, members: list[dict[str, Any]], device: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)(members, device)


def _free_gpu_memory() -> None:
    """Return the memory that torch keeps: other processes need it, and the next pack may have other shapes."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()


def _stay_on(cpus: str) -> None:
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
