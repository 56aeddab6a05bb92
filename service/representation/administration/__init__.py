"""Rows of keys, storage, webhooks and the audit as answers."""
