"""What the form begins with where one comes from a file."""

from typing import Any

from service.http.ids import find_file
from service.http.services import current_services

STAGE = "nn"  # it has an `auto` rate and a scale, which raw data need


def spec_on_file(text: str, stage: str | None) -> dict[str, Any]:
    """A spec on the first two columns of numbers of the file of that id, with a scale and a rate that suit any data.

    Raises NotFound where there is none of that id.
    """
    with current_services().database.read() as connection:
        file = find_file(connection, text)
    whole = [column["name"] for column in file.columns if column["is_numeric"] and not column["missing"]]
    columns = dict(zip("xy", whole, strict=False))
    dataset = {"kind": "file", "file": file.sha256, **columns}
    suited = {"learning_rate": "auto", "scale": "standard"} if stage in (None, STAGE) else {}
    return {"stage": stage or STAGE, **suited, "dataset": dataset}
