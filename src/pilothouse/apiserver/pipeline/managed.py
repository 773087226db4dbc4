"""Stage: managed fields. Who set what is recorded before admission changes it, as upstream does (KEP-555)."""

from pilothouse.api.machinery.managed_fields import record_write
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.runtime.clock import Clock, format_time


def record_manager(write: Write, manager: str, schemas: Schemas, clock: Clock) -> None:
    """Bring `metadata.managedFields` of the new object up to date."""
    resource, new = write.resource, write.new
    assert new is not None
    ignored: JsonObject | None = {"f:status": {}} if not write.part and resource.subresource("status") else None
    record_write(
        new,
        write.old,
        schema=schemas.kind(resource.group, resource.version, resource.name),
        manager=manager,
        api_version=resource.api_version,
        now=format_time(clock.now()),
        subresource=write.part,
        ignored=ignored,
    )
