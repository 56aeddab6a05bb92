"""What a stopped service may leave in the folder for temporary files."""

from pathlib import Path

import pytest

from tests.faults.usage import may_stay


@pytest.mark.parametrize(
    ("name", "content", "may"),
    [
        ("cpu-0.lock", b"1", True),
        ("etilqs_6f1c25", b"", True),
        ("etilqs_6f1c25", b"rows", False),
        ("x.csv", b"", False),
    ],
)
def test_a_file_may_stay_that_a_slot_keeps_or_that_sqlite_had_just_opened(
    tmp_path: Path, name: str, content: bytes, may: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    assert may_stay(tmp_path / name) is may
