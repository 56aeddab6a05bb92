"""One hash of a job's losses and coefficients: two jobs with the same hash have the same bits."""

import hashlib
import json
from collections.abc import Mapping


def of_history(losses: bytes, coefficients: Mapping[str, float]) -> str:
    """SHA-256 of the losses (raw little-endian bytes of all steps) and the coefficients (shortest exact decimals)."""
    return hashlib.sha256(losses + json.dumps(dict(coefficients), sort_keys=True).encode()).hexdigest()
