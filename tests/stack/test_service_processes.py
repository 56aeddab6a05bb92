"""The service that the stack tests start keeps the import path of the tests."""

from pathlib import Path

import pytest

from tests.stack.service_processes import BAD_TRAINERS, Service


@pytest.mark.parametrize(("given", "first"), [({}, f"{BAD_TRAINERS}"), ({"PYTHONPATH": "/site"}, "/site")])
@pytest.mark.parametrize("before", [None, "/one:/two"])
def test_the_import_path_is_added_to_and_not_replaced(
    given: dict[str, str], first: str, before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", before)
    service = Service("sqlite://", "redis://127.0.0.1:1/0", tmp_path, **given)
    service.client.close()
    assert service.environment["PYTHONPATH"].split(":") == [first, *([] if before is None else before.split(":"))]
