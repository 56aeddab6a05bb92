"""The keys of the API."""

from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.store.tables.base import Table


class ApiKey(Table):
    """A key that opens one project, within its scopes. Of the key itself only the SHA-256 is stored.

    Its holder is the name within the project. Rows of revoked and expired keys stay: they show who had access.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(32))  # the first characters of the key, by which people find it
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]

    __table_args__ = (Index("ix_api_keys_holder", "project_id", "name"),)
