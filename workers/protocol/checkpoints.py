"""What a resume needs, without pickle: the trainer's arrays as one frame, its hash, and what decides its bits."""

import hashlib
import json
from typing import Any

import numpy as np

from workers.protocol.wire import Frame, FrameBroken, decode, encode

MOST_BYTES = 64 * 2**20


class CheckpointUnusable(Exception):
    """The checkpoint is damaged, or its bits belong to other arithmetic."""


def fingerprint(spec_sha256: str, numerics_version: int, engine: str, facts: dict[str, Any]) -> str:
    """What must be the same for a resume to be bitwise. gradyard's own version is not part of it."""
    libraries = [facts["versions"][name] for name in ("numpy", "torch")]
    arithmetic = [spec_sha256, numerics_version, engine, facts["numerics_class"], *libraries]
    return hashlib.sha256(json.dumps(arithmetic).encode()).hexdigest()


def freeze(state: dict[str, np.ndarray]) -> tuple[bytes, str]:
    """The state of one member (no member axis) as bytes, and their sha256."""
    blob = encode(Frame("checkpoint", {}, state))
    return blob, hashlib.sha256(blob).hexdigest()


def thaw(blob: bytes, sha256: str, made_by: str, wanted: str) -> dict[str, np.ndarray]:
    """The state again; CheckpointUnusable where bytes or fingerprint are not those that were stored."""
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise CheckpointUnusable("its bytes do not match their hash")
    if made_by != wanted:
        raise CheckpointUnusable("it was made by other versions or on another kind of processor")
    try:
        return decode(blob).arrays
    except FrameBroken as error:
        raise CheckpointUnusable(str(error)) from None
