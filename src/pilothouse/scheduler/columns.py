"""Columns: the facts about all nodes as arrays, a row a node, so that one operation answers for every node at once.

Rows of nodes that have gone are reused; `alive` tells which count. What few nodes differ in (taints, labels) is
interned: the column holds the number of a set or a value, and a question is asked once for each distinct one.
`version` rises whenever labels, taints or the nodes themselves have changed, `image_version` when images or the nodes
have, so that answers may be remembered until then; the journal names the rows where amounts have.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pilothouse.scheduler.pod_info import Units
from pilothouse.scheduler.taints import Taint

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
ABSENT = -1
_FIRST_ROWS = 16
_IMAGES = 512
"""So many images, those asked for last, have a column."""
_JOURNAL = 4096


class Journal:
    """The rows that have changed, one after the other; the oldest are forgotten."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._forgotten = 0

    @property
    def position(self) -> int:
        """How much has been written."""
        return self._forgotten + len(self._rows)

    def write(self, row: int) -> None:
        """A row has changed."""
        if len(self._rows) >= _JOURNAL:
            del self._rows[: _JOURNAL // 2]
            self._forgotten += _JOURNAL // 2
        self._rows.append(row)

    def since(self, position: int) -> dict[int, None] | None:
        """The rows that have changed since then; None if that is forgotten."""
        if position < self._forgotten:
            return None
        return dict.fromkeys(self._rows[position - self._forgotten :])


class LabelColumn:
    """The value that every node has for one label, as a number; ABSENT where it has none."""

    def __init__(self, rows: int) -> None:
        self.values: dict[str, int] = {}
        """The number of each value seen."""
        self.numbers: Ints = np.full(rows, ABSENT, dtype=np.int64)

    def write(self, row: int, value: str | None) -> None:
        """What one node has."""
        self.numbers[row] = ABSENT if value is None else self.values.setdefault(value, len(self.values))

    def where(self, holds: Callable[[str | None], bool]) -> Bools:
        """The nodes whose value satisfies a condition; None is the absence of the label."""
        answers = np.array([*(holds(value) for value in self.values), holds(None)], dtype=np.bool_)
        found: Bools = answers[self.numbers]
        return found

    def among(self, values: Sequence[str]) -> Bools:
        """The nodes that have one of these values."""
        found = np.zeros(len(self.numbers), dtype=np.bool_)
        for value in values:
            number = self.values.get(value)
            if number is not None:
                found |= self.numbers == number
        return found

    @property
    def present(self) -> Bools:
        """The nodes that have the label."""
        found: Bools = self.numbers != ABSENT
        return found


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node says of itself."""

    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    allocatable: Units = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    """Sizes by name."""


class Columns:
    """The arrays."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS
        self.version = 0
        self.image_version = 0
        self.journal = Journal()
        self.alive: Bools = np.zeros(self.rows, dtype=np.bool_)
        self.unschedulable: Bools = np.zeros(self.rows, dtype=np.bool_)
        self.taints: Ints = np.zeros(self.rows, dtype=np.int64)
        self.taint_sets: dict[tuple[Taint, ...], int] = {(): 0}
        self.allocatable: dict[str, Ints] = {}
        self.requested: dict[str, Ints] = {}
        self.non_zero: dict[str, Ints] = {}
        self._labels: dict[str, LabelColumn] = {}
        self._images: dict[str, Ints] = {}
        self._facts: list[NodeFacts | None] = [None] * self.rows

    def grow(self, rows: int) -> None:
        """Make room for so many nodes."""
        if rows <= self.rows:
            return
        more = max(rows, self.rows * 5 // 4) - self.rows
        self.alive = np.concatenate([self.alive, np.zeros(more, dtype=np.bool_)])
        self.unschedulable = np.concatenate([self.unschedulable, np.zeros(more, dtype=np.bool_)])
        self.taints = _longer(self.taints, more)
        for columns in (self.allocatable, self.requested, self.non_zero):
            for name, column in columns.items():
                columns[name] = _longer(column, more)
        for label in self._labels.values():
            label.numbers = _longer(label.numbers, more, ABSENT)
        for image, sizes in self._images.items():
            self._images[image] = _longer(sizes, more, ABSENT)
        self._facts += [None] * more
        self.rows += more
        self.version += 1
        self.image_version += 1

    def write_node(self, row: int, facts: NodeFacts) -> None:
        """A node has come or changed."""
        old = self._facts[row]
        self._facts[row] = facts
        self.alive[row] = True
        if old is None or old.allocatable != facts.allocatable:
            self.journal.write(row)
            self._write(self.allocatable, row, facts.allocatable)
        if old is None or old.images != facts.images:
            self.image_version += 1
            for image, sizes in self._images.items():
                sizes[row] = facts.images.get(image, ABSENT)
        if old is not None and _selectable(old) == _selectable(facts):
            return
        self.version += 1
        self.unschedulable[row] = facts.unschedulable
        self.taints[row] = self.taint_sets.setdefault(facts.taints, len(self.taint_sets))
        for key, column in self._labels.items():
            column.write(row, facts.labels.get(key))

    def write_use(self, row: int, requested: Units, non_zero: Units) -> None:
        """What the pods of a node use."""
        self.journal.write(row)
        self._write(self.requested, row, requested)
        self._write(self.non_zero, row, non_zero)

    def add_use(self, row: int, requests: Units, non_zero: Units, sign: int) -> None:
        """A pod has come (1) or gone (-1)."""
        self.journal.write(row)
        for columns, amounts in ((self.requested, requests), (self.non_zero, non_zero)):
            for name, amount in amounts.items():
                self._column(columns, name)[row] += sign * amount

    def clear(self, row: int) -> None:
        """A node has gone."""
        self.version += 1
        self.image_version += 1
        self.alive[row] = False
        self._facts[row] = None
        for columns in (self.allocatable, self.requested, self.non_zero):
            self._write(columns, row, {})
        for label in self._labels.values():
            label.write(row, None)
        for sizes in self._images.values():
            sizes[row] = ABSENT

    def label(self, key: str) -> LabelColumn:
        """The column of a label, made when first asked for."""
        column = self._labels.get(key)
        if column is None:
            column = LabelColumn(self.rows)
            for row, facts in enumerate(self._facts):
                if facts is not None:
                    column.write(row, facts.labels.get(key))
            self._labels[key] = column
        return column

    def image(self, name: str) -> Ints:
        """The size of an image on every node, ABSENT where it is not; made when first asked for."""
        column = self._images.get(name)
        if column is None:
            sizes = [ABSENT if facts is None else facts.images.get(name, ABSENT) for facts in self._facts]
            column = self._images[name] = np.array(sizes, dtype=np.int64)
            if len(self._images) > _IMAGES:
                del self._images[next(iter(self._images))]
        return column

    def resource(self, columns: dict[str, Ints], name: str) -> Ints:
        """The column of a resource, all zero where nobody has it."""
        return self._column(columns, name)

    def _write(self, columns: dict[str, Ints], row: int, amounts: Units) -> None:
        for name, column in columns.items():
            column[row] = amounts.get(name, 0)
        for name, amount in amounts.items():
            if name not in columns:
                self._column(columns, name)[row] = amount

    def _column(self, columns: dict[str, Ints], name: str) -> Ints:
        column = columns.get(name)
        if column is None:
            column = columns[name] = np.zeros(self.rows, dtype=np.int64)
        return column


def _longer(column: Ints, more: int, value: int = 0) -> Ints:
    return np.concatenate([column, np.full(more, value, dtype=np.int64)])


def _selectable(facts: NodeFacts) -> tuple[Mapping[str, str], tuple[Taint, ...], bool]:
    """What decides which pods may come, however full the node is."""
    return facts.labels, facts.taints, facts.unschedulable
