"""Who is signed in to the page."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.store.tables.base import Table


class PageSession(Table):
    """A browser that a key has signed in. Of its token only the SHA-256 is stored.

    `key_id` is that of the key. Without one it was the administrator's, of the environment: `admin_check` is an HMAC of
    it by the token, so that the row alone tells nothing of the key, and another key ends the session.
    """

    __tablename__ = "page_sessions"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    admin_check: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[float]
    used_at: Mapped[float] = mapped_column(index=True)

    __table_args__ = (CheckConstraint("(key_id IS NULL) <> (admin_check IS NULL)", name="of_one_key"),)
