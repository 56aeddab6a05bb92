"""How a message becomes a frame and a frame a message, by the types of the message's fields."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self

import numpy as np

from workers.protocol.frame import Arrays, Frame, FrameBroken


class Message:
    """A frozen dataclass for each kind of frame.

    A field of type np.ndarray, Arrays, Arrays | None or list[Arrays] travels as raw bytes beside the header. Every
    other field is a JSON value in the header. `kind` names the message in the header; each class has its own.
    """

    kind: ClassVar[str]

    def to_frame(self) -> Frame:
        """The message as a frame. Names of arrays begin with their field: `state.a`."""
        layout = _layout_of(type(self))
        header = {name: getattr(self, name) for name in layout.plain}
        arrays = {name: getattr(self, name) for name in layout.single}
        for name in layout.named:
            group = getattr(self, name)
            if group is None:
                header[name] = None
            else:
                arrays |= _prefixed(name, group)
        for name in layout.listed:
            groups = getattr(self, name)
            header[name] = len(groups)
            for index, group in enumerate(groups):
                arrays |= _prefixed(f"{name}.{index}", group)
        return Frame(self.kind, header, arrays)

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """The message of a frame of this kind. Raises FrameBroken where a field is missing or unknown."""
        layout, values = _layout_of(cls), dict(frame.fields)
        try:
            values |= {name: frame.arrays[name] for name in layout.single}
            values |= {name: _unprefixed(name, frame.arrays) for name in layout.named if name not in values}
            for name in layout.listed:
                values[name] = [_unprefixed(f"{name}.{index}", frame.arrays) for index in range(values[name])]
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise FrameBroken(f"not a {cls.__name__}: {error}") from None


@dataclass(frozen=True)
class _Layout:
    """The names of a message's fields by what they hold."""

    plain: tuple[str, ...]
    single: tuple[str, ...]
    named: tuple[str, ...]
    listed: tuple[str, ...]


def _make_layout(message: type[Message]) -> _Layout:
    types = {each.name: each.type for each in fields(message)}  # type: ignore[arg-type]  # every Message is a dataclass
    single = tuple(name for name, kind in types.items() if kind is np.ndarray)
    named = tuple(name for name, kind in types.items() if kind in (Arrays, Arrays | None))
    listed = tuple(name for name, kind in types.items() if kind == list[Arrays])
    return _Layout(tuple(name for name in types if name not in {*single, *named, *listed}), single, named, listed)


_layout_of: Callable[[type[Message]], _Layout] = cache(_make_layout)  # type: ignore[assignment]  # the class is hashable


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _unprefixed(prefix: str, arrays: Arrays) -> Arrays:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
