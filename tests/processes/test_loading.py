"""A process loads what it consists of without collections of garbage, and collects again afterwards."""

import gc
import subprocess
import sys

import pytest

from gradyard.processes.loading import load

LOADED = """
import gc
from gradyard.processes.loading import load
collections = []
gc.callbacks.append(lambda *_: collections.append(1))
load("gradyard.cli.main")
print(collections, gc.isenabled(), len(gc.get_objects()) < 10_000)
"""


def test_a_module_is_loaded_without_a_collection_and_left_out_of_later_ones() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert told.stdout == "[] True True\n"


def test_the_collector_goes_on_where_a_module_cannot_be_loaded() -> None:
    with pytest.raises(ModuleNotFoundError):
        load("gradyard.there_is_none")
    assert gc.isenabled()
