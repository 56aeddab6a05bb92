"""How much a project may store: over it new jobs are refused. What runs goes on, and may pass it."""

from sqlalchemy import Connection, select

from gradyard.jobs.errors import StorageQuotaExceeded
from gradyard.store.dialects import now
from gradyard.store.files.rows import bytes_of_files
from gradyard.store.tables import IdempotencyKey, ProjectStorage, bytes_of


def check_storage_quota(
    connection: Connection, project_id: int, most: int | None, key: str | None = None, *, more: int = 0
) -> None:
    """Raise StorageQuotaExceeded where the project stores more bytes than that: its jobs, as last added up, its files.

    more: so many bytes come on top. key: an idempotency key; one that was used before is let through, since its request
    makes nothing new.
    """
    if most is None:
        return
    stored = select(bytes_of(ProjectStorage).label("bytes"), (now() - ProjectStorage.measured_at).label("age"))
    row = connection.execute(stored.where(ProjectStorage.project_id == project_id)).first()
    _, size = bytes_of_files(connection, project_id)
    size += row.bytes if row is not None else 0
    if size + more <= most:
        return
    used = (IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)
    if key is not None and connection.execute(select(IdempotencyKey.job_id).where(*used)).first() is not None:
        return
    told = _age(row and row.age) + (f", so {more:,} more do not fit" if more else "")
    raise StorageQuotaExceeded(
        f"the project stores {size:,} bytes and may store {most:,}{told}; delete jobs, batches or files, "
        "or set a rule of retention (`gradyard storage retention`), and send it again when GET /v1/storage shows less"
    )


def _age(seconds: float | None) -> str:
    return "" if seconds is None else f", as its jobs were added up {max(0.0, seconds):.0f} s ago"
