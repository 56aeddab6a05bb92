"""A folder that no other user may read, also where it was there before."""

import os
from pathlib import Path

import pytest

from gradyard.processes.private_folder import make_private, private_files

ROOT = os.geteuid() == 0


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o750, 0o701])
def test_a_folder_that_others_could_read_becomes_private(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    (folder / "up.lock").touch()
    make_private(folder, marks={"up.lock"})
    assert mode_of(folder) == 0o700


def test_files_are_private_until_the_block_ends(tmp_path: Path) -> None:
    earlier = os.umask(0o022)
    try:
        with private_files():
            (tmp_path / "inside").touch()
        (tmp_path / "after").touch()
    finally:
        os.umask(earlier)
    assert (mode_of(tmp_path / "inside"), mode_of(tmp_path / "after")) == (0o600, 0o644)


def test_a_folder_with_files_of_others_is_left_as_it_is_and_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(PermissionError, match="others may read it, and it holds other files"):
        make_private(tmp_path, marks={"up.lock"})
    assert mode_of(tmp_path) == 0o755
    tmp_path.chmod(0o700)
    make_private(tmp_path, marks={"up.lock"})  # where it is private, it may hold anything


def test_a_folder_for_all_users_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(PermissionError, match="all users share it"):
        make_private(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.skipif(not ROOT, reason="gives folders to another user")
def test_a_folder_that_another_user_made_in_a_shared_one_is_refused(tmp_path: Path) -> None:
    shared, trap = tmp_path / "tmp", tmp_path / "tmp" / "gradyard-0"
    trap.mkdir(parents=True)
    shared.chmod(0o1777)
    os.chown(trap, 12345, 12345)
    with pytest.raises(PermissionError, match="it belongs to another user"):
        make_private(trap)
    trap.rename(tmp_path / "volume")
    make_private(tmp_path / "volume")  # root may use a folder that its owner alone could have made there


def test_a_link_in_place_of_a_folder_in_a_shared_one_is_refused(tmp_path: Path) -> None:
    shared, elsewhere = tmp_path / "tmp", tmp_path / "elsewhere"
    shared.mkdir()
    elsewhere.mkdir()
    (shared / "gradyard-0").symlink_to(elsewhere)
    shared.chmod(0o1777)
    with pytest.raises(PermissionError, match="it is a link in a folder that all users share"):
        make_private(shared / "gradyard-0")
