"""A small file system in memory, to be filled to its last byte."""

import os
import subprocess
import tempfile
from pathlib import Path


class SmallDisk:
    """A tmpfs at `folder`; root mounts it."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder, self.mebibytes = folder, mebibytes
        self._ballast = folder / "ballast"

    def mount(self) -> None:
        """Mount it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={self.mebibytes}m,mode=0777"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave not a byte free."""
        with self._ballast.open("wb", buffering=0) as file:
            block = b"\0" * (1 << 20)
            while block:
                try:
                    file.write(block)
                except OSError:
                    block = block[: len(block) // 2]

    def empty(self) -> None:
        """Take the ballast out."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Let go of it, and of all that it holds."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


def why_not() -> str | None:
    """Why this machine cannot mount one; None where it can."""
    if os.geteuid() != 0:
        return "only root may mount a tmpfs"
    probe = SmallDisk(Path(tempfile.mkdtemp(prefix="gydisk-")), 1)
    try:
        probe.mount()
        return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"a tmpfs cannot be mounted: {error}"
    finally:
        probe.unmount()
        probe.folder.rmdir()
