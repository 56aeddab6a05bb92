"""Who may ask: the keys of the API."""

from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.store.tables.base import Table


class ApiKey(Table):
    """A key that opens one project, as far as its scopes say. Of the key itself only the SHA-256 is kept.

    `project_id` and `name` together say whose it is. Rows of revoked and expired keys stay: they tell who could ask.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(32))  # how the key begins, for people who look for it
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]

    __table_args__ = (Index("ix_api_keys_holder", "project_id", "name"),)
