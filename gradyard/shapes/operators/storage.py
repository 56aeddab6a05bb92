"""What projects store, and which ended jobs they keep."""

from typing import Annotated

from pydantic import AwareDatetime, Field, WithJsonSchema

from gradyard.jobs.storage import STORED
from gradyard.shapes.base import Answer

# Text, so that a newer service may have more of them.
KindName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(STORED)})]
SetFor = Annotated[str, WithJsonSchema({"type": "string", "enum": ["project", "service"]})]


class StoredOfKind(Answer):
    """Bytes of content of one kind, and the rows that hold it."""

    kind: KindName
    bytes: int
    rows: int


class RetentionRule(Answer):
    """Which ended jobs a project keeps; null: that part says nothing. Pinned jobs are kept, and count in no part."""

    days: float | None = Field(default=None, description="since the end of a job")
    jobs: int | None = Field(default=None, description="how many of the newest")
    bytes: int | None = Field(default=None, description="of all ended jobs together; the oldest go")
    set_for: SetFor = Field(
        default="service", description="`service`: its settings, for projects without a rule of their own"
    )
    set_at: AwareDatetime | None = None
    set_by: str | None = None
    due: int | None = Field(
        default=None,
        description="how many jobs it lets go now; null where it is not known, and in `GET /v1/storage`",
    )


class ProjectStorage(Answer):
    """What a project stores, its rule, and how much it may store."""

    project: str
    bytes: int = 0
    kinds: tuple[StoredOfKind, ...] = ()
    measured_at: AwareDatetime | None = Field(
        default=None, description="when that was added up, about every minute; null for a new project"
    )
    max_bytes: int | None = Field(default=None, description="over it new jobs are refused; null: no limit")
    retention: RetentionRule


class Storage(Answer):
    """What projects store: the caller's own, or for operators each."""

    projects: tuple[ProjectStorage, ...]
    database_bytes: int | None = Field(default=None, description="of the whole database; for operators")
