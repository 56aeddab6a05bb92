"""How much a project may store: over it new jobs are refused. What runs goes on, and may pass it."""

from sqlalchemy import Connection, select

from gradyard.jobs.errors import StorageQuotaExceeded
from gradyard.store.dialects import now
from gradyard.store.tables import IdempotencyKey, ProjectStorage, bytes_of


def check_storage_quota(connection: Connection, project_id: int, most: int | None, key: str | None = None) -> None:
    """Raise StorageQuotaExceeded where the project stores more bytes than that, as last added up.

    key: an idempotency key; one that was used before is let through, since its request makes nothing new.
    """
    if most is None:
        return
    stored = select(bytes_of(ProjectStorage).label("bytes"), (now() - ProjectStorage.measured_at).label("age"))
    row = connection.execute(stored.where(ProjectStorage.project_id == project_id)).first()
    if row is None or row.bytes <= most:
        return
    used = (IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)
    if key is not None and connection.execute(select(IdempotencyKey.job_id).where(*used)).first() is not None:
        return
    raise StorageQuotaExceeded(
        f"the project stores {row.bytes:,} bytes and may store {most:,}, as added up {max(0.0, row.age):.0f} s ago; "
        "delete jobs or batches, or set a rule of retention (`gradyard storage retention`), and submit again when "
        "GET /v1/storage tells less"
    )
