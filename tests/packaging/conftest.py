"""The wheel of this project, built once for these tests."""

from pathlib import Path

import pytest

from tests.packaging.environments import wheel_of_this_project


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the sources as they are now."""
    return wheel_of_this_project(tmp_path_factory.mktemp("wheel"))
