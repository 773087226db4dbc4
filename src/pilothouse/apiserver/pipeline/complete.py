"""Stage: default. What the user left out is filled in: the kind's defaults, then what upstream's types always write.

Before anything is compared or recorded, so that an object sent without them is not another object.
"""

from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.written import filler
from pilothouse.apiserver.pipeline.write import Write


def complete(write: Write, schemas: Schemas) -> None:
    """Fill in the new object."""
    resource, new = write.resource, write.new
    assert new is not None
    resource.default(new)
    fill = filler(schemas.kind(resource.group, resource.version, resource.name))
    if fill is not None:
        fill(new)
