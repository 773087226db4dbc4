"""Managed fields: who set which field of an object last, kept in `metadata.managedFields` (KEP-555).

Every write is compared with the object as it was. What the writer added or changed becomes its own; what it added,
changed or took away is no longer anybody else's. The sets of fields are trees in the form they have on the wire, so
entries that a write does not concern pass through untouched. `write` is the whole of it for callers; `walk` compares
objects by their schema, `fields` computes with the trees. Server-side apply will stand beside `record_write` and use
the same two.
"""

from pilothouse.api.machinery.managed_fields.write import default_manager, record_write

__all__ = ["default_manager", "record_write"]
