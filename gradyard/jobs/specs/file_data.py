"""Two columns of a file that was sent in before, as the data of a job."""

from collections.abc import Callable, Hashable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, PrivateAttr

from gradyard.jobs.settings import Settings
from gradyard.jobs.strict_model import StrictModel

COLUMN = Field(min_length=1, max_length=200)


class XAndY(NamedTuple):
    """The values of x and y, float64, (points,) each."""

    x: np.ndarray
    y: np.ndarray


class FileData(StrictModel):
    """Two columns of a file: x and y, by their names. The file is named by the SHA-256 of its content.

    It says how to read its values, and holds none: a sweep of 100,000 jobs has as many of these objects.
    """

    points_field: ClassVar[str] = "file"
    is_sent_in_full: ClassVar[bool] = False
    x_pointer: ClassVar[str] = "/dataset/x"
    y_pointer: ClassVar[str] = "/dataset/y"

    kind: Literal["file"]
    file: str = Field(pattern="^[0-9a-f]{64}$", description="the id of a file: the SHA-256 of its content")
    x: Annotated[str, COLUMN] = Field(description="the name of the column of x")
    y: Annotated[str, COLUMN] = Field(description="the name of the column of y")
    points: int = Field(default=0, ge=0, description="the rows of the file; 0: as many as it has")

    _read: Callable[[], XAndY] | None = PrivateAttr(None)

    def with_values(self, points: int, read: Callable[[], XAndY]) -> Self:
        """The same columns, of which the file has so many rows, and what reads their values."""
        known = self.model_copy(update={"points": points})
        known._read = read
        return known

    @staticmethod
    def max_points(settings: Settings) -> int:
        """The most points that such a data set may have."""
        return settings.max_points

    @property
    def grid(self) -> None:
        """None: x may have any values."""
        return None

    @property
    def shared_by_pack(self) -> list[Any]:
        """What the members of a pack agree in: the columns themselves, so that a runner gets them once."""
        return [self.file, self.x, self.y]

    def x_values(self) -> np.ndarray:
        """x in float64, (points,). Raises ContentUnavailable where the file cannot be read now."""
        return self._values().x

    def y_values(self, seed: int) -> np.ndarray:
        """y in float64, (points,). Raises ContentUnavailable where the file cannot be read now."""
        return self._values().y

    def key(self, seed: int) -> Hashable:
        """Data sets of equal keys have equal values."""
        return self.file, self.x, self.y

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a runner must be sent: x and y, float64, (points,) each; none as it is stored."""
        return {} if self._read is None else self._values()._asdict()

    def summary(self) -> dict[str, Any]:
        """The data set as a runner takes it, without its arrays: as points that were given."""
        return {"kind": "inline", "points": self.points}

    def _values(self) -> XAndY:
        if self._read is None:
            raise TypeError(
                "the values of a stored data set are unknown until `FilesOfProject.with_values` has found its file"
            )
        return self._read()
