"""Garbage collector: what all of its owners have left goes too, at once, before them, or not at all.

Read `graph` (who refers to whom), `verdict` (what becomes of one object), `objects` (what is asked of the API server)
and `monitors` (where the graph has it from), then `controller`, which works it off. API page: Garbage Collection;
upstream: pkg/controller/garbagecollector.
"""

from pilothouse.controllers.garbage_collector.controller import GarbageCollectorController

__all__ = ["GarbageCollectorController"]
