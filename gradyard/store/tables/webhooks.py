"""Webhooks, the outbox of what they are to tell, and their messages."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.webhooks.events import DeliveryState, NoticeKind
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known

_WAITING = text("state = 'waiting'")


class Webhook(Table):
    """An address that gets a message for each event that it asks for, and what became of the newest ones."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str | None] = mapped_column(String(500))
    events: Mapped[list[str]] = mapped_column(JSON)  # WebhookEvents
    batch_members: Mapped[bool] = mapped_column(Boolean)  # whether jobs of batches have messages of their own
    secret: Mapped[str] = mapped_column(String(200))  # as it is: a signature needs the secret itself
    earlier_secret: Mapped[str | None] = mapped_column(String(200))
    earlier_until: Mapped[float | None]  # messages are signed with both until then
    created_at: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(200))
    enabled: Mapped[bool] = mapped_column(Boolean)
    spans: Mapped[list[list[int | None]]] = mapped_column(JSON)  # ids of notices while it was on: [[after, until], …]
    disabled_at: Mapped[float | None]
    disabled_because: Mapped[str | None] = mapped_column(Text)
    delivered_at: Mapped[float | None]  # the newest message that was accepted
    failing_since: Mapped[float | None]  # the first failure since then
    failures: Mapped[int] = mapped_column(Integer, default=0)  # in a row
    paused_until: Mapped[float | None]

    __table_args__ = (Index("ix_webhooks_of_project", "project_id", "id"),)


class WebhookNotice(Table):
    """The outbox: something happened that a webhook is to tell. Maintenance makes messages of it within seconds.

    It is written in the transaction of what happened: for a job by a trigger of `jobs`, so that no way to its end, and
    no older version of this program, can forget it. There is none while the project has no webhook.
    """

    __tablename__ = "webhook_notices"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    at: Mapped[float]
    # a job, as it was at its end: it may be deleted before the message is made
    project_id: Mapped[int | None] = mapped_column(Integer)
    job_id: Mapped[UUID | None]
    batch_id: Mapped[UUID | None]
    ends_batch: Mapped[bool] = mapped_column(Boolean)  # whether it is to be seen yet if its batch has finished
    stage: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    state: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    message: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[float | None]
    started_at: Mapped[float | None]
    steps: Mapped[int | None]
    steps_done: Mapped[int | None]
    loss_last: Mapped[float | None]
    loss_min: Mapped[float | None]
    # a worker, or what was drained
    about: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        is_known("kind", NoticeKind), Index("ix_webhook_notices_of_batch", "batch_id"),
        {"sqlite_autoincrement": True},  # no id comes again when the outbox is empty: see Webhook.spans
    )  # fmt: skip


class WebhookDelivery(Table):
    """A message for one webhook, and its tries. Its id is the `webhook-id` of each of them.

    No foreign key: the messages of a deleted webhook go in slices.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID]
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)  # the very bytes that are signed and sent
    created_at: Mapped[float]
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int] = mapped_column(Integer, default=0)  # since it was sent by hand, or at all
    next_at: Mapped[float | None]  # when it is due; while it is being sent: when another process sends it again
    lease: Mapped[UUID | None]  # of the try that is under way
    tried_at: Mapped[float | None]
    status: Mapped[int | None] = mapped_column(Integer)  # of the newest answer
    answer: Mapped[str | None] = mapped_column(Text)  # how it begins
    error: Mapped[str | None] = mapped_column(Text)  # why there was none, or what is wrong with it
    seconds: Mapped[float | None]  # that the newest try took

    __table_args__ = (
        is_known("state", DeliveryState),
        Index("ix_webhook_deliveries_newest", "webhook_id", "id"),
        Index("ix_webhook_deliveries_due", "webhook_id", "next_at", "id",
              sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_webhook_deliveries_oldest", "created_at"),
    )  # fmt: skip
