"""Alembic's entry: run on the connection that `migrations` hands in, inside its transaction."""

from alembic import context

from gradyard.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True,
    transactional_ddl=True,
)  # fmt: skip
context.run_migrations()
