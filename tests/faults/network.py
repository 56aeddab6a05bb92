"""Several worker hosts on one machine: network namespaces, each with a cable to Redis and one to the database.

A cut cable drops packets, as a real one does: no side gets an error.
"""

import os
import shutil
import subprocess

REDIS, DATABASE = "redis", "database"


class Namespace:
    """The network of one host. `number` selects its addresses; each cable is cut and mended separately."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self._prefix = {REDIS: f"10.79.{number * 2}", DATABASE: f"10.79.{number * 2 + 1}"}

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses at which this host reaches Redis and the database."""
        return {part: f"{prefix}.1" for part, prefix in self._prefix.items()}

    def make(self) -> None:
        """Make the namespace with both cables connected."""
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for part, prefix in self._prefix.items():
            outer, inner = self._cable(part)
            _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name)
            _ip("addr", "add", f"{prefix}.1/24", "dev", outer)
            _ip("link", "set", outer, "up")
            _ip("-n", self.name, "addr", "add", f"{prefix}.2/24", "dev", inner)
            _ip("-n", self.name, "link", "set", inner, "up")

    def command(self, command: list[str]) -> list[str]:
        """A command line that runs this command with the network and the host name of this host."""
        inside = ["unshare", "--uts", "sh", "-c", f'hostname {self.name} && exec "$@"', "sh", *command]
        return ["ip", "netns", "exec", self.name, *inside]

    def cut(self, part: str) -> None:
        """Cut the cable to `part` (REDIS or DATABASE)."""
        _ip("-n", self.name, "link", "set", self._cable(part)[1], "down")

    def mend(self, part: str) -> None:
        """Connect the cable to `part` again."""
        _ip("-n", self.name, "link", "set", self._cable(part)[1], "up")

    def remove(self) -> None:
        """Remove the namespace and its cables."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        for part in self._prefix:
            subprocess.run(["ip", "link", "del", self._cable(part)[0]], check=False, capture_output=True)

    def _cable(self, part: str) -> tuple[str, str]:
        return f"{self.name}{part[0]}0", f"{self.name}{part[0]}1"


def why_not() -> str | None:
    """Why network namespaces cannot be made here; None where they can."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "iproute2 and util-linux are not installed"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    probe = Namespace(f"gyp{os.getpid() % 10_000}", 120)
    try:
        probe.make()
        subprocess.run(probe.command(["true"]), check=True, capture_output=True)
        return None
    except subprocess.CalledProcessError as error:
        return f"the kernel refused: {error.stderr.decode().strip()}"
    finally:
        probe.remove()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
