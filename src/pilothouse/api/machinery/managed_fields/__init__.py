"""Managed fields: who set which field of an object last, kept in `metadata.managedFields` (KEP-555).

Every write is compared with the object as it was. What the writer added or changed becomes its own; what it added,
changed or took away is no longer anybody else's. Who applies claims what it sends, shares what others set to the same
value, and may not change the rest. Sets of fields are trees in the form they have on the wire, so entries that a write
does not concern pass through untouched.

`record_write` and `apply` are the whole of it for callers. Below them: `fields` computes with the trees, `walk`
compares objects by their schema, `configuration` reads what is applied, `merge` and `prune` make the object of it,
`conflicts` says what stands against it, `versions` translates, `entries` reads and writes the list,
`last_applied` takes over what kubectl applied on its own side, `scale` gives the scale of a workload its part of them.
"""

from pilothouse.api.machinery.managed_fields.apply import Application, Applied, apply
from pilothouse.api.machinery.managed_fields.entries import is_readable
from pilothouse.api.machinery.managed_fields.last_applied import apply_for_kubectl
from pilothouse.api.machinery.managed_fields.scale import to_parent, to_scale
from pilothouse.api.machinery.managed_fields.versions import Version
from pilothouse.api.machinery.managed_fields.write import default_manager, record_write

__all__ = [
    "Application", "Applied", "Version", "apply", "apply_for_kubectl", "default_manager", "is_readable", "record_write",
    "to_parent", "to_scale",
]  # fmt: skip
