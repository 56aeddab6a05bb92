"""Webhooks in the database: the outbox, the messages that are made of it, and who gets them.

What happened goes into the outbox in its own transaction. Maintenance makes messages of it, and sends them.
"""
