"""Key: which object of a kind, by namespace and name."""

from typing import NamedTuple, Self

from pilothouse.api.machinery.view import View


class Key(NamedTuple):
    """Namespace and name; the namespace of what stands in none is empty."""

    namespace: str
    name: str

    @classmethod
    def of(cls, view: View) -> Self:
        """The key of an object."""
        meta = view.metadata
        return cls(meta.namespace, meta.name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
