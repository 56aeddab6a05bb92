"""What an export has: its forms, its columns and what they hold. The service writes it, the Client reads it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Form(StrEnum):
    """In which form an export comes."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"

    @property
    def content_type(self) -> str:
        """The type of its content, as `Accept` names it."""
        return CONTENT_TYPES[self]


CONTENT_TYPES = {
    Form.NDJSON: "application/x-ndjson", Form.CSV: "text/csv", Form.PARQUET: "application/vnd.apache.parquet",
    Form.ARROW: "application/vnd.apache.arrow.stream",
}  # fmt: skip
ENDINGS = {
    ".ndjson": Form.NDJSON, ".jsonl": Form.NDJSON, ".csv": Form.CSV, ".parquet": Form.PARQUET, ".arrow": Form.ARROW,
    ".arrows": Form.ARROW,
}  # fmt: skip
"""Of the names of files."""


class Curves(StrEnum):
    """Whether losses are left out, come a row each, or a list for each job."""

    NONE = "none"
    LONG = "long"
    LIST = "list"


class Holds(StrEnum):
    """What a column holds. `json`: in NDJSON an object, in other forms its text."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TIME = "time"
    JSON = "json"


COLUMNS: dict[str, Holds] = {
    **dict.fromkeys(("id", "batch", "name", "stage", "state", "reason", "message", "queue", "engine"), Holds.TEXT),
    "tags": Holds.JSON,
    **dict.fromkeys(("submitted_at", "started_at", "finished_at"), Holds.TIME),
    **dict.fromkeys(("attempt", "steps", "steps_done", "points", "degree", "seed"), Holds.INTEGER),
    "learning_rate": Holds.NUMBER, "dtype": Holds.TEXT,
    **dict.fromkeys(("loss_first", "loss_last", "loss_min"), Holds.NUMBER),
    **dict.fromkeys(("loss_min_step", "diverged_at"), Holds.INTEGER),
    **dict.fromkeys(("setup_seconds", "train_seconds"), Holds.NUMBER),
    **dict.fromkeys(("records", "pack_size"), Holds.INTEGER),
    "metrics": Holds.JSON, "coefficients": Holds.JSON, "formula": Holds.TEXT, "environment": Holds.JSON,
    "retry_of": Holds.TEXT, "replaced_by": Holds.TEXT,
}  # fmt: skip
"""What every export has, before the other parameters of the specs. The names are those of questions."""

OF_CURVES = ("step", "loss", "losses")


def parameter_columns(parameters: Iterable[str]) -> Mapping[str, str]:
    """The column of each parameter that is none of COLUMNS, by its name: itself, or `spec.NAME` where that is taken."""
    return {
        name: f"spec.{name}" if name in COLUMNS or name in OF_CURVES else name
        for name in sorted(parameters)
        if name != "dtype"
    }
