"""What a resume needs, without pickle: a member's arrays as one frame, their hash, and what decides their bits."""

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar, Self

from workers.protocol.frame import Arrays, Frame, FrameBroken, decode, encode
from workers.protocol.messages.message import Message
from workers.protocol.messages.start import HelloMessage

MOST_BYTES = 64 * 2**20


class CheckpointUnusable(Exception):
    """The checkpoint is damaged, or it was made by other arithmetic."""


@dataclass(frozen=True)
class CheckpointMessage(Message):
    """The state of one member, without a member axis. It is stored, not sent: its format outlives a version."""

    kind: ClassVar[str] = "checkpoint"
    state: Arrays

    def to_frame(self) -> Frame:
        """The state as a frame, its arrays by their own names."""
        return Frame(self.kind, {}, self.state)

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """The state that a frame carries. Raises FrameBroken where the frame is of another kind."""
        if frame.kind != cls.kind:
            raise FrameBroken(f"the frame is a {frame.kind}, not a {cls.kind}")
        return cls(frame.arrays)


def fingerprint(spec_sha256: str, numerics_version: int, engine: str, runner: HelloMessage) -> str:
    """A hash of all that must be equal for a resume to be bitwise. gradyard's own version is not part of it."""
    libraries = [runner.versions[name] for name in ("numpy", "torch")]
    libraries += [runner.versions.get("triton", "")] if engine == "fused" else []
    arithmetic = [spec_sha256, numerics_version, engine, runner.numerics_class, *libraries]
    return hashlib.sha256(json.dumps(arithmetic).encode()).hexdigest()


def freeze(state: Arrays) -> tuple[bytes, str]:
    """The state of one member (no member axis) as bytes, and their sha256."""
    blob = encode(CheckpointMessage(state).to_frame())
    return blob, hashlib.sha256(blob).hexdigest()


def thaw(blob: bytes, sha256: str, made_by: str, wanted: str) -> Arrays:
    """The state that `freeze` stored. `made_by` and `wanted` are fingerprints.

    Raises CheckpointUnusable where the bytes do not match their hash, or the fingerprints differ.
    """
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise CheckpointUnusable("its bytes do not match their hash")
    if made_by != wanted:
        raise CheckpointUnusable("it was made by other versions or on another kind of processor")
    try:
        return CheckpointMessage.from_frame(decode(blob)).state
    except FrameBroken as error:
        raise CheckpointUnusable(str(error)) from None
