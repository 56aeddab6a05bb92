"""Refuses a SQLite file on a network file system: its write-ahead log needs memory that all its processes share.

Two hosts that open such a file see no locks and no log of each other, and damage it.
"""

import re
from pathlib import Path

from gradyard.jobs.settings import Settings
from gradyard.local.errors import CannotStart

MOUNTS = Path("/proc/self/mountinfo")
OF_NETWORKS = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "fuse.glusterfs",
    "fuse.ceph", "fuse.sshfs", "orangefs", "ocfs2", "gfs2", "ncpfs",
}  # fmt: skip


def refuse_network_disk(settings: Settings) -> None:
    """Raises CannotStart where the database would be a SQLite file on a network file system."""
    from gradyard.store.upkeep.in_use import file_of  # SQLAlchemy takes a third of a second

    # What is no URL at all is told by what opens it.
    file = file_of(settings.database) if settings.database.startswith("sqlite:") else None
    kind = None if file is None else network_file_system(file)
    if kind is None:
        return
    advice = "name another file in DATABASE_URL" if settings.database_url else "choose a local folder with --state-dir"
    raise CannotStart(
        f"the database {file} is on a network file system ({kind}), which would damage it: {advice}, or use PostgreSQL"
    )


def network_file_system(path: Path) -> str | None:
    """The kind of the network file system that the path is on; None where it is local, or the system does not tell."""
    try:
        mounts = [line.split() for line in MOUNTS.read_text().splitlines()]
    except OSError:  # macOS
        return None
    real, found, kind = path.absolute().resolve(), Path("/"), ""
    for fields in mounts:
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if real.is_relative_to(point) and len(point.parts) >= len(found.parts):  # of two at one place the later one
            found, kind = point, fields[fields.index("-") + 1]
    return kind if kind in OF_NETWORKS else None
