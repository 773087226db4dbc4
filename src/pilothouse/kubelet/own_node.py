"""What the API server says of the node itself: its labels, its taints, and what it offers to pods."""

from collections.abc import Callable
from typing import Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.client.informer import Lister
from pilothouse.client.key import Key


class OwnNode(Protocol):
    """The node's own object."""

    def known(self) -> Node:
        """As last heard of."""
        ...

    async def newest(self) -> Node:
        """As it is now. Raises StatusError."""
        ...


class WatchedNode:
    """`OwnNode` by an informer. What the object does not say, or not yet, is what the node would register."""

    def __init__(self, name: str, lister: Lister[Node], client: Client, otherwise: Callable[[], JsonObject]) -> None:
        self._name = name
        self._lister = lister
        self._client = client
        self._otherwise = otherwise

    def known(self) -> Node:
        """As last heard of."""
        node = self._lister.get(Key("", self._name))
        if node is not None and node.status.allocatable:
            return node
        raw = self._otherwise()
        return Node({**node.raw, "status": raw["status"]} if node is not None else raw)

    async def newest(self) -> Node:
        """As it is now. Raises StatusError."""
        return await self._client.get(Node, self._name)
