"""What can go wrong with a runner.

RunnerDied                the process ended, or could not be started
├── NotStarted            this host has no process or memory for it, or its GPU is full: no device is broken
├── WorkerStops           it lives or starts, and its worker must stop without waiting for it
├── CannotCompute         the process runs, and its GPU does not compute
└── DeviceBroken          the GPU of this slot cannot be used, not even by a fresh process
"""


class RunnerDied(Exception):
    """The runner ended before its supervisor ended it."""


class NotStarted(RunnerDied):
    """The runner could not be started, and its device is not the cause."""


class WorkerStops(RunnerDied):
    """The worker must stop, and does not wait for its runner, which is not the cause."""


class CannotCompute(RunnerDied):
    """A fresh runner found that its GPU does not compute."""


class DeviceBroken(RunnerDied):
    """The GPU of this slot cannot be used, not even by a fresh process."""
