"""Message classes made from the table, when the runtime is first dialled.

`Messages()["PodSandboxConfig"](hostname="a", labels={...})` builds one; nested messages are given as plain dicts.
"""

from typing import Any

from pilothouse.kubelet.cri import table
from pilothouse.net.message_table import message_classes, rows


class Messages:
    """Classes by message name."""

    def __init__(self) -> None:
        self._classes = message_classes(table.PACKAGE, table.MESSAGES, table.ENUMS)

    def __getitem__(self, name: str) -> Any:
        return self._classes[name]


def enum_value(enum: str, name: str) -> int:
    """The number of one value, such as `enum_value("NamespaceMode", "NODE")`."""
    return _ENUMS[enum].index(name)


def enum_names(enum: str) -> list[str]:
    """All values, in the order of their numbers."""
    return _ENUMS[enum]


_ENUMS = dict(rows(table.ENUMS))
