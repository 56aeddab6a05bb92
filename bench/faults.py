"""The same nine faults for gradyard, plain Celery and RQ: how many jobs are lost, and how many are done twice.

    python -m bench.faults --system gradyard|celery|rq|all      (RQ: pip install -e '.[bench]')

Each system has two slots, a service manager that restarts dead processes, and the safest settings of its documentation.
The peers have a Redis that appends every write to its file (`appendfsync always`). gradyard's Redis restarts empty.
"""

import argparse
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.peers.gradyard_fleet import Gradyard
from bench.peers.redis_peers import CeleryPeer, RqPeer
from bench.peers.system import System, signal_all
from bench.report import about

JOBS = 60
SUBMIT_SECONDS = 36.0
FROZEN_SECONDS = 18.0  # past gradyard's lease and the peers' visibility timeout
REST_SECONDS = 120.0
SYSTEMS: dict[str, type[System]] = {kind.name: kind for kind in (Gradyard, CeleryPeer, RqPeer)}


def main() -> None:
    """Measure the chosen systems, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", choices=[*SYSTEMS, "all"], default="all")
    options = parser.parse_args()
    names = list(SYSTEMS) if options.system == "all" else [options.system]
    rows = [_measure(SYSTEMS[name]) for name in names]
    print("\n".join(about("python -m bench.faults --system " + options.system)), end="\n\n")
    print("| system | accepted | completed | lost | completed twice | begun | all done after |\n" + "|---" * 7 + "|")
    print("\n".join(rows))


def _measure(kind: type[System]) -> str:
    folder = Path(tempfile.mkdtemp(prefix="gypeer-", dir="/tmp"))
    system = kind(folder)
    try:
        system.start()
        return _hurt(system)
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _hurt(system: System) -> str:
    began = time.monotonic()
    accepted: list[int] = []
    feeder = threading.Thread(target=_feed, args=(system, accepted))
    feeder.start()
    script = _script(system)
    while (now := time.monotonic() - began) < SUBMIT_SECONDS + 4 or feeder.is_alive():
        while script and script[0][0] <= now:
            script.pop(0)[1]()
        system.tend()
        time.sleep(0.25)
    feeder.join()
    while time.monotonic() - began < SUBMIT_SECONDS + REST_SECONDS:
        system.tend()
        begun, done = system.counts()
        if all(done[number] for number in accepted):
            break
        time.sleep(1.0)
    seconds = time.monotonic() - began
    begun, done = system.counts()
    lost = sum(not done[number] for number in accepted)
    twice = sum(count > 1 for count in done.values())
    ended = f"{seconds:.0f} s" if not lost else f"never (looked for {seconds:.0f} s)"
    cells = [system.name, len(accepted), len(accepted) - lost, lost, twice, sum(begun.values()), ended]
    return "| " + " | ".join(map(str, cells)) + " |"


def _feed(system: System, accepted: list[int]) -> None:
    """Submit jobs at even intervals. Repeat each submission until it is accepted, as a careful client does."""
    began = time.monotonic()
    for number in range(JOBS):
        time.sleep(max(0.0, began + number * SUBMIT_SECONDS / JOBS - time.monotonic()))
        while True:
            try:
                system.submit(number)
                break
            except Exception:
                time.sleep(0.5)
        accepted.append(number)


def _script(system: System) -> list[tuple[float, Callable[[], None]]]:
    """The nine faults, each with the second at which it is inflicted."""
    return [
        (3, lambda: signal_all(system.slot()[-1:], signal.SIGKILL)),
        (7, system.flush_redis),
        (11, lambda: signal_all(system.slot()[:1], signal.SIGKILL)),
        (15, system.kill_redis),
        (18, lambda: _freeze(system)),
        (22, lambda: signal_all(system.slot()[-1:], signal.SIGKILL)),
        (26, system.flush_redis),
        (30, system.kill_redis),
        (36, system.kill_pool),
    ]


def _freeze(system: System) -> None:
    processes = system.slot()
    signal_all(processes, signal.SIGSTOP)
    threading.Timer(FROZEN_SECONDS, signal_all, (processes, signal.SIGCONT)).start()


if __name__ == "__main__":
    main()
