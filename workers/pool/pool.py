"""One command for a whole host: CPU slots, one worker a GPU, and maintenance beside them."""

import argparse
import os
import sys

from gradyard.jobs import settings as environment
from gradyard.jobs.errors import GradyardError, SettingsInvalid
from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.settings import Settings
from gradyard.processes.children import Child
from gradyard.processes.private_memory import keep_memory_private
from workers.pool.keep_up import HUNG_SECONDS, Post, keep_up
from workers.pool.rounds import Rounds
from workers.pool.slot_locks import SlotLocks, folder_of
from workers.pool.slots import Slot, default_cpu_slots, slots_of_host, why_not_pinned


def main() -> None:
    """Start the workers of this host and keep them running until SIGTERM or Ctrl-C."""
    keep_memory_private()
    try:
        _run(_options())
    except GradyardError as error:
        print(f"gradyard worker: {error}", file=sys.stderr)
        sys.exit(2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gradyard worker", description=__doc__)
    parser.add_argument("--cpu-slots", type=int, default=None, help="jobs or packs that train at once on CPU cores")
    parser.add_argument("--gpus", default="all", help="all, none, or numbers or UUIDs separated by commas: 0,2")
    parser.add_argument("--slots-per-gpu", type=int, default=1, help="workers that share each GPU and its memory")
    parser.add_argument("--queues", default=",".join(WORKER_QUEUES), help="cpu, gpu, or both separated by a comma")
    parser.add_argument("--pool", default=None, help="a name that jobs can ask for")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> None:
    settings = environment.load()
    queues = [queue.strip() for queue in options.queues.split(",")]
    if unknown := [queue for queue in queues if queue not in WORKER_QUEUES]:
        raise SettingsInvalid(f"--queues: {unknown[0]!r} is neither cpu nor gpu")
    cpu_slots = default_cpu_slots() if options.cpu_slots is None else options.cpu_slots
    if options.slots_per_gpu < 1:
        raise SettingsInvalid(f"--slots-per-gpu {options.slots_per_gpu}: must be at least 1")
    slots = slots_of_host(cpu_slots, options.gpus, [Queue(queue) for queue in queues], settings, options.slots_per_gpu)
    if not slots:
        raise SettingsInvalid("there is nothing to start: no CPU slot was asked for, and no GPU was found")
    if note := why_not_pinned():
        print(note, flush=True)
    pool = {"GRADYARD_POOL": options.pool} if options.pool else {}
    free = _free(slots, SlotLocks(settings))
    posts = [Post(_worker(slot, pool)) for slot in free]
    posts.append(_maintenance(settings, Rounds(folder_of(settings) / f"{free[0].name}.rounds")))
    keep_up(posts)


def _free(slots: list[Slot], slot_locks: SlotLocks) -> list[Slot]:
    """The slots that no other pool of this host holds. Raises SettingsInvalid where others hold them all."""
    holders = {slot.name: slot_locks.take(slot) for slot in slots}
    for name, holder in holders.items():
        if holder is not None:
            print(f"{name} is held by {holder} of this host and is not started here", flush=True)
    free = [slot for slot in slots if holders[slot.name] is None]
    if not free:
        raise SettingsInvalid("other pools of this host hold every slot that was asked for; stop them first")
    return free


def _worker(slot: Slot, pool: dict[str, str]) -> Child:
    command = [
        sys.executable, "-m", "workers.celery_side", "--quiet", "worker", "-Q", slot.queue, "-c", "1",
        "-P", "prefork", "-n", f"{slot.name}@%h", "-l", "WARNING",
    ]  # fmt: skip
    return Child(slot.name, command, environment.without_keys(os.environ) | slot.environment() | pool)


def _maintenance(settings: Settings, rounds: Rounds) -> Post:
    command = [sys.executable, "-m", "workers.maintenance", "--rounds", str(rounds.path)]
    child = Child("maintenance", command, environment.without_keys(os.environ))
    return Post(child, rounds, HUNG_SECONDS + settings.maintenance_seconds)
