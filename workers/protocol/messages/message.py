"""How a message becomes a frame and a frame a message, by the types of the message's fields."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np

from workers.protocol.frame import Arrays, Frame, FrameBroken
from workers.protocol.messages.fitting import fits


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
        """The message of a frame of this kind. Raises FrameBroken where a field is missing or does not fit."""
        layout, values = _layout_of(cls), dict(frame.fields)
        try:
            for name, may_be_none in layout.named.items():
                if name in values and not (may_be_none and values[name] is None):
                    raise FrameBroken(f"not a {cls.__name__}: {name} is not made of arrays")
            groups = _groups(frame.arrays)
            if unknown := groups.keys() - {*layout.single, *layout.named, *layout.listed}:
                raise FrameBroken(f"not a {cls.__name__}: it has no array {min(unknown)}")
            values |= {name: frame.arrays[name] for name in layout.single}
            values |= {name: groups.get(name, {}) for name in layout.named if name not in values}
            values |= {name: _list_of(groups.get(name, {}), values[name]) for name in layout.listed}
            message = cls(**values)
        except (KeyError, TypeError) as error:
            raise FrameBroken(f"not a {cls.__name__}: {error}") from None
        for name, kind in layout.plain.items():
            if not fits(getattr(message, name), kind):
                raise FrameBroken(f"not a {cls.__name__}: {name} is of another type")
        return message


@dataclass(frozen=True)
class _Layout:
    """The names of a message's fields by what they hold."""

    plain: dict[str, Any]  # with their types
    single: tuple[str, ...]
    named: dict[str, bool]  # whether it may be None
    listed: tuple[str, ...]


def _make_layout(message: type[Message]) -> _Layout:
    types = {each.name: each.type for each in fields(message)}  # type: ignore[arg-type]  # every Message is a dataclass
    single = tuple(name for name, kind in types.items() if kind is np.ndarray)
    named = {name: kind != Arrays for name, kind in types.items() if kind in (Arrays, Arrays | None)}
    listed = tuple(name for name, kind in types.items() if kind == list[Arrays])
    plain = {name: kind for name, kind in types.items() if name not in {*single, *named, *listed}}
    return _Layout(plain, single, named, listed)


_layout_of: Callable[[type[Message]], _Layout] = cache(_make_layout)  # type: ignore[assignment]  # the class is hashable


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _groups(arrays: Arrays) -> dict[str, Arrays]:
    """The arrays of each field by what follows its name, so that many are read in one pass."""
    groups: dict[str, Arrays] = {}
    for name, array in arrays.items():
        first, _, rest = name.partition(".")
        groups.setdefault(first, {})[rest] = array
    return groups


def _list_of(arrays: Arrays, length: Any) -> list[Arrays]:
    """The groups of a list, none of them empty. Raises FrameBroken where they are not as many as the length says."""
    groups = _groups(arrays)
    if type(length) is not int or set(groups) != {str(index) for index in range(min(length, len(groups) + 1))}:
        raise FrameBroken("a list of arrays has not the length that it states")
    return [groups[str(index)] for index in range(length)]
