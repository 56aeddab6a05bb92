"""The secrets of a run. Each is a word that nothing else says, so that it is found wherever it should not stand."""

import secrets

ADMIN_KEY, DATABASE_PASSWORD, REDIS_PASSWORD = (f"canary{secrets.token_hex(16)}" for _ in range(3))
