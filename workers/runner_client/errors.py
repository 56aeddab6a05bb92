"""What can go wrong with a runner.

RunnerDied                it ended without being asked to, or never came to life
├── NotStarted            this host has no process or memory for it, or its GPU is full: nothing is broken
├── CannotCompute         it lives, and its GPU does not compute
└── DeviceBroken          the GPU of this slot trains nothing any more: a fresh process cannot use it either
"""


class RunnerDied(Exception):
    """The runner ended without being asked to."""


class NotStarted(RunnerDied):
    """The runner could not be started, and its device has no part in that."""


class CannotCompute(RunnerDied):
    """A fresh runner finds that its GPU does not compute."""


class DeviceBroken(RunnerDied):
    """The GPU of this slot trains nothing any more: a fresh process cannot use it either."""
