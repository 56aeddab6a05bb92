"""The results of jobs without faults: each spec is trained alone, in an undisturbed process without a service.

Specs that differ only in their steps share one training, which takes a hash at the last step of each of them.
`python -m tests.faults.expected` reads groups of specs as JSON from stdin and writes the hashes as JSON to stdout.
"""

import importlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import stage_named
from gradyard.jobs.submission.parse import parse_job
from tests.faults.data_files import OfARun
from tests.faults.fingerprints import of_history
from workers.runner.numerics import one_thread, one_thread_environment

# Fields that change no bit.
FREE = ("name", "tags", "priority", "device", "timeout_seconds", "max_retries", "depends_on")


def key_of(spec: dict[str, Any]) -> str:
    """The key of a spec's curve: equal for specs that differ only in steps and in fields that change no bit."""
    return json.dumps({name: spec[name] for name in sorted(spec) if name not in (*FREE, "steps")})


def trained_alone(specs: Iterable[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """The hash for each pair of curve key and number of steps, trained by one process for each core."""
    stops: dict[str, set[int]] = defaultdict(set)
    for spec in specs:
        stops[key_of(spec)].add(spec["steps"])
    groups = [(key, sorted(steps)) for key, steps in sorted(stops.items(), key=lambda item: -max(item[1]))]
    cores = len(os.sched_getaffinity(0))
    processes = [_start(dict(groups[part::cores])) for part in range(cores)]
    groups_of_hashes = [item for process in processes for item in _hashes_from(process).items()]
    return {(key, int(steps)): digest for key, hashes in groups_of_hashes for steps, digest in hashes.items()}


def _start(groups: dict[str, list[int]]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.faults.expected"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment())
    assert process.stdin is not None
    json.dump(groups, process.stdin)
    process.stdin.close()
    process.stdin = None
    return process


def _hashes_from(process: "subprocess.Popen[str]") -> dict[str, dict[str, str]]:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the training without faults failed; its output above has the cause")
    return dict(json.loads(output))


def _environment() -> dict[str, str]:
    return dict(os.environ) | one_thread_environment()


def _train(key: str, stops: list[int]) -> dict[int, str]:
    from workers.runner.loop import segments

    settings = load()
    parsed = parse_job(json.dumps(json.loads(key) | {"steps": stops[-1]}).encode(), settings, OfARun)
    spec = parsed.spec.as_json() | parsed.resolved
    if arrays := parsed.spec.dataset.arrays():
        spec["dataset"] = parsed.spec.dataset.summary() | arrays
    module, _, name = stage_named(parsed.spec.stage).trainer.partition(":")
    trainer = getattr(importlib.import_module(module), name)([spec], "cpu")
    losses, done, hashes = [], 0, {}
    for stop in stops:
        losses += [segment.losses[0] for segment in segments(trainer, steps=stop, begin=done)]
        done = stop
        hashes[stop] = of_history(np.concatenate(losses).tobytes(), trainer.coefficients()[0])
    return hashes


if __name__ == "__main__":
    one_thread()
    json.dump({key: _train(key, stops) for key, stops in json.load(sys.stdin).items()}, sys.stdout)
