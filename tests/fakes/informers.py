"""Informers that show what a test tells them to: copies that lag behind the server as far as one likes."""

from typing import Any

from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.client.client import Client, WatchEvent
from pilothouse.client.informer import Informer, Informers
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks


class ToldInformers(Informers):
    """One informer a kind, without a reflector."""

    def __init__(self, client: Client, clock: Clock, tasks: Tasks) -> None:
        super().__init__(client, clock, tasks)
        self._told: dict[Any, Informer[Any]] = {}

    def of(self, kind: Any, **_selection: str) -> Informer[Any]:
        """The informer of a kind, whatever part of it is asked for."""
        return self._told.setdefault(kind, Informer())

    def show(self, kind: type[View], raw: JsonObject) -> None:
        """Let an object be there as it is now."""
        self.of(kind).change(WatchEvent("MODIFIED", kind(raw)))
