"""What a query finds. Whoever writes it down need not know what was asked, and how."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

Row = dict[str, Any]
Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What a query tells in one place.

    Attributes:
        name: What it is called.
        read: Makes a value of what the driver answers; None: it is one already.
        places: How many decimals a whole number has that the driver answers; 0: it is no decimal.
    """

    name: str
    read: Process | None
    places: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """
    What is told of each row in place of its values.

    Attributes:
        of: Of which value; nothing: of none.
        tell: What is told of that; None: it is told itself.
        always: What is told where it is of none.
    """

    of: str = ""
    tell: Process | None = None
    always: Any = None

    def kind(self, name: str, kind: Kind) -> Kind:
        """What stands in its place, where that kind stood."""
        read, tell = kind.read, self.tell
        if tell is None:
            return Kind(name, read, kind.places)
        return Kind(name, tell if read is None else lambda value: tell(read(value)))


class Rows(Sequence[Row]):
    """
    What a query finds: rows by the names of their values, made when they are asked for, or columns.

    Attributes:
        kinds: What stands in each column.
        found: The rows as the driver answered them.
    """

    def __init__(self, kinds: Sequence[Kind], found: Sequence[Sequence[Any]]) -> None:
        self.kinds = kinds
        self.found = found
        self._made: list[Row] | None = None

    @property
    def is_as_found(self) -> bool:
        """Whether nobody has been given a row so far, who may have changed it."""
        return self._made is None

    def columns(self) -> Iterator[tuple[Any, ...]]:
        """The columns as the driver answered them."""
        return zip(*self.found, strict=True) if self.found else iter([()] * len(self.kinds))

    def told(self, members: Mapping[str, Member]) -> "Rows":
        """The same rows, as the driver answered them, with these members by their names."""
        there = {kind.name: (kind, column) for kind, column in zip(self.kinds, self.columns(), strict=True)}
        kinds, columns = [], []
        for name, member in members.items():
            kind, column = there[member.of] if member.of else (Kind(name, None), (member.always,) * len(self))
            kinds.append(member.kind(name, kind))
            columns.append(column)
        return Rows(kinds, list(zip(*columns, strict=True)))

    @property
    def _rows(self) -> list[Row]:
        if self._made is None:
            names = [kind.name for kind in self.kinds]
            self._made = [dict(zip(names, row)) for row in self.found]  # noqa: B905 (as many values as names)
            for kind in self.kinds:
                if kind.read is not None:
                    name, read = kind.name, kind.read
                    for row in self._made:
                        row[name] = read(row[name])
        return self._made

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._rows == list(other)

    __hash__ = None  # type: ignore[assignment]  # rows may be changed, as those of a list

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        return self._rows[place]


class Once(dict[Any, Any]):
    """
    What a column's values are told as, by what the driver answers: what comes again and again is told once.

    Args:
        read: Makes a value of what the driver answers, as in `Kind`.
        tell: What is told of a value.
    """

    def __init__(self, read: Process | None, tell: Process) -> None:
        super().__init__()
        self._read, self._tell = read, tell

    def __missing__(self, found: Any) -> Any:
        told = self[found] = self._tell(found if self._read is None else self._read(found))
        return told
