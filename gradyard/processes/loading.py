"""Loads what a process consists of without Python's cyclic garbage collector.

While modules load, it visits all that is loaded already, again and again, and finds next to nothing: a tenth to a
fifth of the time until a process is ready.
"""

import gc
import importlib
from types import ModuleType


def load(module: str) -> ModuleType:
    """Import the module of this name with the collector at rest. Later collections leave out what exists then.

    To be called before other threads run. Raises what the import raises; the collector goes on all the same.
    """
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
