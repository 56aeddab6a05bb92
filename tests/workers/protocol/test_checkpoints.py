"""A checkpoint gives back the same bits, or says that it cannot."""

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest

from workers.protocol.checkpoints import CheckpointUnusable, fingerprint, freeze, thaw
from workers.protocol.messages import HelloMessage

VERSIONS = {"numpy": "2", "torch": "2.13.0", "gradyard": "0.1.0"}
RUNNER = HelloMessage(1, VERSIONS, "cpu", None, 1, "cpu/AVX2/threads=1")
STATE = {"a": np.array(0.1, dtype=np.float32), "momentum.a": np.array([np.pi, -0.0, np.inf])}


def test_the_same_bits_come_back() -> None:
    blob, sha256 = freeze(STATE)
    thawed = thaw(blob, sha256, "made", "made")
    assert {name: array.tobytes() for name, array in thawed.items()} == {
        name: array.tobytes() for name, array in STATE.items()
    }


def test_the_checkpoints_of_earlier_versions_can_be_read() -> None:
    """The bytes that version 0.1 stored for {"a": float32 0.1}."""
    header = b'{"kind": "checkpoint", "fields": {}, "arrays": [["a", "<f4", []]]}'
    stored = struct.pack("<4sIQ", b"GYD1", len(header), 4) + header + np.float32(0.1).tobytes()
    assert freeze({"a": np.array(0.1, dtype=np.float32)})[0] == stored
    assert thaw(stored, hashlib.sha256(stored).hexdigest(), "made", "made")["a"] == np.float32(0.1)


@pytest.mark.parametrize("place", [0, 20, -1])
def test_one_flipped_bit_is_noticed(place: int) -> None:
    blob, sha256 = freeze(STATE)
    damaged = bytearray(blob)
    damaged[place] ^= 1
    with pytest.raises(CheckpointUnusable, match="hash"):
        thaw(bytes(damaged), sha256, "made", "made")


def test_other_arithmetic_is_refused() -> None:
    blob, sha256 = freeze(STATE)
    with pytest.raises(CheckpointUnusable, match="other versions"):
        thaw(blob, sha256, "made there", "wanted here")


def test_the_fingerprint_knows_what_decides_the_bits_and_nothing_else() -> None:
    same = replace(RUNNER, versions=VERSIONS | {"gradyard": "9"}, pid=2)
    torch = replace(RUNNER, versions=VERSIONS | {"torch": "2.14.0"})
    other_cpu = replace(RUNNER, numerics_class="cpu/AVX512/threads=1")
    made = fingerprint("spec", 1, "eager", RUNNER)
    assert made == fingerprint("spec", 1, "eager", same)
    assert made not in [
        fingerprint("spec", 1, "eager", torch), fingerprint("spec", 1, "eager", other_cpu),
        fingerprint("spec", 2, "eager", RUNNER), fingerprint("spec", 1, "inductor", RUNNER),
        fingerprint("other", 1, "eager", RUNNER),
    ]  # fmt: skip


def test_the_version_of_triton_decides_the_bits_of_the_fused_engine_alone() -> None:
    older, newer = (replace(RUNNER, versions=VERSIONS | {"triton": each}) for each in ("3.6.0", "3.7.1"))
    assert fingerprint("spec", 1, "fused", older) != fingerprint("spec", 1, "fused", newer)
    assert fingerprint("spec", 1, "eager", older) == fingerprint("spec", 1, "eager", newer)
