"""Two pools of one host never hold the same slot."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import load
from workers.pool.gpus.inventory import Gpu
from workers.pool.slot_locks import SlotLocks
from workers.pool.slots import Slot

HOLDER = """
import sys
from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import load
from workers.pool.slots import Slot
from workers.pool.slot_locks import SlotLocks
slot_locks = SlotLocks(load(database_url=sys.argv[1]))
print(slot_locks.take(Slot("cpu-0", Queue.CPU)), flush=True)
sys.stdin.read()
"""


def test_a_slot_is_held_until_its_pool_ends_even_by_a_kill() -> None:
    url = f"sqlite:///slot_locks-{id(HOLDER)}.db"
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "None\n"
        slot_locks = SlotLocks(load(database_url=url))
        assert slot_locks.take(Slot("cpu-0", Queue.CPU)) == f"pool {holder.pid}"
        assert slot_locks.take(Slot("cpu-1", Queue.CPU)) is None
        assert SlotLocks(load(database_url=url + "-other")).take(Slot("cpu-0", Queue.CPU)) is None
        holder.kill()
    assert slot_locks.take(Slot("cpu-0", Queue.CPU)) is None


def test_a_folder_that_another_user_put_in_its_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, shared = tmp_path / "elsewhere", tmp_path / "tmp"
    elsewhere.mkdir()
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / f"gradyard-{os.getuid()}").symlink_to(elsewhere)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    with pytest.raises(SettingsInvalid, match=r"TMPDIR: .*all users share; remove it, or choose another TMPDIR"):
        SlotLocks(load(database_url="sqlite:///one.db"))
    assert list(elsewhere.iterdir()) == []


def test_a_gpu_is_held_once_on_a_host_whatever_the_database_and_the_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gpu = Gpu("GPU-5f3a", "A", 1)
    first, other = SlotLocks(load(database_url="sqlite:///one.db")), SlotLocks(load(database_url="sqlite:///two.db"))
    assert first.take(Slot("gpu-0-0", Queue.GPU, gpu=gpu)) is None
    assert first.take(Slot("gpu-0-1", Queue.GPU, gpu=gpu)) is None, "slots of one pool may share a GPU"
    assert other.take(Slot("gpu-5", Queue.GPU, gpu=gpu)) == f"pool {os.getpid()}"
