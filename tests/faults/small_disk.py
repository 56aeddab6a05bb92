"""A small file system in memory that a fault can fill to its last byte."""

import os
import subprocess
import tempfile
from pathlib import Path


class SmallDisk:
    """A tmpfs at `folder`. Only root can mount it."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder, self.mebibytes = folder, mebibytes
        self._ballast = folder / "ballast"

    def mount(self) -> None:
        """Mount the file system."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={self.mebibytes}m,mode=0777"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True)

    def fill(self) -> None:
        """Write a file that takes all free bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            block = b"\0" * (1 << 20)
            while block:
                try:
                    file.write(block)
                except OSError:
                    block = block[: len(block) // 2]

    def empty(self) -> None:
        """Remove the file that fills it."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Unmount the file system. Its files are lost."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


def why_not() -> str | None:
    """Why a tmpfs cannot be mounted here; None where it can."""
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
