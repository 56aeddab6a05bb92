"""One command, the whole host: CPU slots, one worker a GPU, and maintenance beside them."""

import argparse
import os
import sys
import time
from dataclasses import dataclass

from gradyard.jobs import settings as environment
from gradyard.jobs.errors import GradyardError, SettingsInvalid
from gradyard.processes.children import Child, stop_in_order
from gradyard.processes.stop_signal import StopSignal
from workers.pool.slot_locks import SlotLocks
from workers.pool.slots import Slot, default_cpu_slots, slots_of_host

GRACE_SECONDS = 8.0  # a runner that does not answer a stop is killed after six
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 60.0
STEADY_SECONDS = 10.0  # a child that lived so long starts again without a pause


@dataclass
class Post:
    """A place that is always to be filled: its child, and when that may be started again."""

    child: Child
    started_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    due_at: float = 0.0


def main() -> None:
    """Start the pool and keep it up until SIGTERM or Ctrl-C."""
    try:
        _run(_options())
    except GradyardError as error:
        print(f"gradyard worker: {error}", file=sys.stderr)
        sys.exit(2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gradyard worker", description=__doc__)
    parser.add_argument("--cpu-slots", type=int, default=None, help="how many jobs or packs train at once on CPU cores")
    parser.add_argument("--gpus", default="all", help="all, none, or some by number or UUID, by comma: 0,2")
    parser.add_argument("--slots-per-gpu", type=int, default=1, help="workers that share each GPU and its memory")
    parser.add_argument("--queues", default="cpu,gpu", help="cpu, gpu, or both by comma")
    parser.add_argument("--pool", default=None, help="a name that jobs can ask for")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> None:
    settings = environment.load()
    queues = [queue.strip() for queue in options.queues.split(",")]
    if unknown := [queue for queue in queues if queue not in ("cpu", "gpu")]:
        raise SettingsInvalid(f"--queues: {unknown[0]!r} is neither cpu nor gpu")
    wanted = default_cpu_slots() if options.cpu_slots is None else options.cpu_slots
    if options.slots_per_gpu < 1:
        raise SettingsInvalid(f"--slots-per-gpu {options.slots_per_gpu}: must be at least 1")
    found = slots_of_host(wanted, options.gpus, queues, settings, options.slots_per_gpu)
    if not found:
        raise SettingsInvalid("there is nothing to start: no CPU slot was asked for, and no GPU was found")
    found = _free(found, SlotLocks(settings))
    pool = {"GRADYARD_POOL": options.pool} if options.pool else {}
    posts = [Post(_worker(slot, pool)) for slot in found]
    posts.append(Post(Child("maintenance", [sys.executable, "-m", "workers.maintenance"], dict(os.environ))))
    _keep_up(posts)


def _free(wanted: list[Slot], slot_locks: SlotLocks) -> list[Slot]:
    """Those of the slots that no other pool of this host holds; SettingsInvalid where none is left."""
    taken = {slot.name: slot_locks.take(slot) for slot in wanted}
    for name, holder in taken.items():
        if holder is not None:
            print(f"{name} is held by {holder} of this host; it is left to it", flush=True)
    free = [slot for slot in wanted if taken[slot.name] is None]
    if not free:
        raise SettingsInvalid("other pools of this host hold every slot that was asked for; stop them first")
    return free


def _worker(slot: Slot, pool: dict[str, str]) -> Child:
    command = [
        sys.executable, "-m", "celery", "-A", "workers", "--quiet", "worker", "-Q", slot.queue, "-c", "1",
        "-P", "prefork", "-n", f"{slot.name}@%h", "--without-gossip", "--without-mingle", "-l", "WARNING",
    ]  # fmt: skip
    return Child(slot.name, command, dict(os.environ) | slot.environment() | pool)


def _keep_up(posts: list[Post]) -> None:
    stop = StopSignal()
    try:
        while not stop.wait(0.2 if posts[0].started_at else 0.0):
            for post in posts:
                _fill(post)
    finally:
        for post in posts:
            post.child.terminate()  # all at once: each takes its time to hand back
        stop_in_order([post.child for post in posts], GRACE_SECONDS)


def _fill(post: Post) -> None:
    """Start the post's child where it has none, later each time that it dies young."""
    now = time.monotonic()
    if post.started_at and post.child.returncode() is None:
        return
    if not post.started_at:
        post.started_at = now
        post.child.start()
    elif not post.due_at:
        if now - post.started_at >= STEADY_SECONDS:
            post.pause_seconds = FIRST_PAUSE_SECONDS
        post.due_at = now + post.pause_seconds
        status = post.child.returncode()
        print(f"{post.child.name} ended with status {status}; again in {post.pause_seconds:.0f} s", flush=True)
    elif now >= post.due_at:
        post.pause_seconds = min(LONGEST_PAUSE_SECONDS, 2 * post.pause_seconds)
        post.started_at, post.due_at = now, 0.0
        post.child.start()


if __name__ == "__main__":
    main()
