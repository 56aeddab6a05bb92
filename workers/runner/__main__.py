"""The exec'ed process that owns torch and the device. No SQL, no Redis, no secret: frames in, frames out."""

import argparse
import faulthandler
import gc
import importlib
import os
import signal
import socket
from typing import Any

from workers.protocol.wire import Frame, Wire, WireClosed
from workers.runner.numerics import numerics_class, one_thread, same_bits_on_gpu, versions
from workers.runner.process_control import call_this_process, die_with_parent
from workers.runner.training import Training, is_the_devices


def main() -> None:
    """Serve packs until the supervisor hangs up or nothing came for `--idle-seconds`."""
    options = _options()
    faulthandler.enable()  # a crash in native code says where it was
    die_with_parent(options.parent)
    call_this_process("gradyard-spare" if options.spare else "gradyard-runner")
    for signum in (signal.SIGTERM, signal.SIGINT):  # service managers signal the whole group; the supervisor decides
        signal.signal(signum, signal.SIG_IGN)
    if not options.spare:  # a spare does not start on the core on which the other trains
        _stay_on(options.cpus)
    wire = Wire(socket.socket(fileno=options.wire))
    try:
        one_thread()
        if options.device == "cuda":
            same_bits_on_gpu(options.allow_tf32)
        if trouble := _trouble_of_device(options):
            wire.send(trouble)
            return
        wire.send(Frame("hello", _facts(options)))
        if options.spare:  # it has time: what the first pack of torch.optim would import
            importlib.import_module("torch._dynamo")
        gc.freeze()  # torch stays: a look of the collector at it takes longer than a step of a pack
        while (frame := wire.receive(options.idle_seconds)) is not None:
            _stay_on(options.cpus)
            _serve(wire, frame, options.device)
            if options.device == "cuda":
                _give_memory_back()
    except WireClosed:
        pass  # the supervisor is gone, and with it the reason to train


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wire", type=int, required=True, help="file descriptor of the socket to the supervisor")
    parser.add_argument("--parent", type=int, required=True, help="pid of the supervisor")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where torch computes")
    parser.add_argument("--device-name", default="cpu", help="what the device is called")
    parser.add_argument("--cpus", default="", help="the cores that this process may use, by comma")
    parser.add_argument("--idle-seconds", type=float, default=600.0, help="leave after so long without a pack")
    parser.add_argument("--allow-tf32", action="store_true", help="matrix products on a GPU may round to TF32")
    parser.add_argument("--device-fails", default=None, help="what a GPU says that is not there and does not work")
    parser.add_argument("--spare", action="store_true", help="nobody waits for this one yet")
    return parser.parse_args()


def _trouble_of_device(options: argparse.Namespace) -> Frame | None:
    """Whether the GPU computes, and if not, why: no pack must find that out."""
    if options.device_fails:
        return Frame("no device", {"why": options.device_fails})
    if options.device != "cuda":
        return None
    import torch

    try:
        count, total = torch.cuda.device_count(), torch.ones(1024, device="cuda").sum().item()
    except Exception as error:  # a full GPU and a host without its driver are not the card's fault
        full = "out of memory" in str(error).lower()
        kind = "no device" if is_the_devices(error) and not full else "no start"
        return Frame(kind, {"why": f"{type(error).__name__}: {error}"})
    if count != 1:
        return Frame("no start", {"why": f"it sees {count} GPUs, not its own alone"})
    return None if total == 1024 else Frame("no device", {"why": f"1,024 ones add up to {total:g}"})


def _give_memory_back() -> None:
    """What torch keeps for later is in the way of others on the GPU, and the next pack may have other shapes anyway."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "versions": versions(), "device": options.device_name,
        "device_uuid": os.environ.get("CUDA_VISIBLE_DEVICES") or None,
        "numerics_class": numerics_class(options.device, options.device_name, options.allow_tf32),
        "threads": 1, "pid": os.getpid(),
    }  # fmt: skip


def _stay_on(cpus: str) -> None:
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})


def _serve(wire: Wire, frame: Frame, device: str) -> None:
    if frame.kind != "train":
        return  # a drop or stop that crossed with the end of its pack
    call_this_process("gradyard-runner")
    wire.send(Frame("begun"))  # from now on a death may be the pack's doing

    def make(trainer: str, members: list[dict[str, Any]]) -> Any:
        module, _, name = trainer.partition(":")
        return getattr(importlib.import_module(module), name)(members, device)

    Training(wire, frame, make).run()


if __name__ == "__main__":
    main()
