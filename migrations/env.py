"""Alembic's entry: run on the connection that `migrations.running` passes.

On PostgreSQL each step is a transaction of its own, so that no lock outlives its step. On SQLite all steps are in the
caller's transaction.
"""

from alembic import context

from gradyard.store.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Table.metadata, render_as_batch=True, transactional_ddl=True,
    transaction_per_migration=connection.dialect.name == "postgresql",
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
