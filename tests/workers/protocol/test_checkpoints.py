"""A checkpoint gives back the same bits, or says that it cannot."""

import numpy as np
import pytest

from workers.protocol.checkpoints import CheckpointUnusable, fingerprint, freeze, thaw

FACTS = {"numerics_class": "cpu/AVX2/threads=1", "versions": {"numpy": "2", "torch": "2.13.0", "gradyard": "0.1.0"}}
STATE = {"a": np.array(0.1, dtype=np.float32), "momentum.a": np.array([np.pi, -0.0, np.inf])}


def test_the_same_bits_come_back() -> None:
    blob, sha256 = freeze(STATE)
    thawed = thaw(blob, sha256, "made", "made")
    assert {name: array.tobytes() for name, array in thawed.items()} == {
        name: array.tobytes() for name, array in STATE.items()
    }


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
    same = FACTS | {"versions": FACTS["versions"] | {"gradyard": "9"}}  # type: ignore[operator]
    torch = FACTS | {"versions": FACTS["versions"] | {"torch": "2.14.0"}}  # type: ignore[operator]
    other_cpu = FACTS | {"numerics_class": "cpu/AVX512/threads=1"}
    made = fingerprint("spec", 1, "eager", FACTS)
    assert made == fingerprint("spec", 1, "eager", same)
    assert made not in [
        fingerprint("spec", 1, "eager", torch), fingerprint("spec", 1, "eager", other_cpu),
        fingerprint("spec", 2, "eager", FACTS), fingerprint("spec", 1, "inductor", FACTS),
        fingerprint("other", 1, "eager", FACTS),
    ]  # fmt: skip
