"""Upkeep: the bootstrap objects are there and as they should be, and FlowSchemas say whether their level exists.

Mandatory objects are put back as they were. Suggested ones are kept up to date until somebody changes them: their
annotation `autoupdate-spec` says so, and where it is missing their generation does. Those that an earlier version
suggested, and nobody has changed, go. Source: "Maintenance of the mandatory and suggested configuration objects" of the
API priority and fairness docs; pkg/registry/flowcontrol/ensurer.
"""

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress

from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.flowcontrol_v1 import FlowSchema, PriorityLevelConfiguration
from pilothouse.apiserver.flowcontrol.bootstrap import (
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    SUGGESTED_LEVELS,
    SUGGESTED_SCHEMAS,
)
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.retry import retry_on_conflict
from pilothouse.runtime.booleans import FALSE, TRUE
from pilothouse.runtime.clock import Clock, format_time
from pilothouse.runtime.log import Log

log = Log(__name__)

ANNOTATION = "apf.kubernetes.io/autoupdate-spec"
PRODUCER, CONSUMER = "api-priority-and-fairness-config-producer-v1", "api-priority-and-fairness-config-consumer-v1"
"""As whose the fields are managed: the user agents of the two clients."""
_PERIOD_SECONDS = 60.0


async def keep_up(producer: Client, consumer: Client, control: FlowControl, clock: Clock) -> None:
    """Keep the objects for ever: statuses, by the consumer, as soon as anything changes; all else every minute."""
    while True:
        due = clock.monotonic() + _PERIOD_SECONDS
        await _try(ensure(producer, clock))
        while (left := due - clock.monotonic()) > 0:
            control.changed.clear()
            await _try(tell_dangling(consumer, control, clock))
            try:
                async with clock.timeout(left):
                    await control.changed.wait()
            except TimeoutError:
                break


async def ensure(client: Client, clock: Clock) -> None:
    """Make, mend and remove what needs it."""
    await _ensure(client, clock, PriorityLevelConfiguration, MANDATORY_LEVELS, SUGGESTED_LEVELS)
    await _ensure(client, clock, FlowSchema, MANDATORY_SCHEMAS, SUGGESTED_SCHEMAS)


async def tell_dangling(client: Client, control: FlowControl, clock: Clock) -> None:
    """Write the Dangling condition of FlowSchemas where it is another."""
    for schema, dangling in control.dangling():
        condition = dangling_condition(schema, dangling=dangling)
        if condition is not None:
            stamped = {**condition, "lastTransitionTime": format_time(clock.now())}
            with suppress(NotFound):
                patch = {"status": {"conditions": [stamped]}}
                name = schema["metadata"]["name"]
                await client.patch(FlowSchema, name, "", patch, subresource="status", form=PatchForm.STRATEGIC)


def dangling_condition(schema: JsonObject, *, dangling: bool) -> JsonObject | None:
    """The condition that a FlowSchema should have; None where it has it."""
    level = schema["spec"]["priorityLevelConfiguration"]["name"]
    begin = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    wanted = {
        "type": "Dangling",
        "status": "True" if dangling else "False",
        "reason": "NotFound" if dangling else "Found",
        "message": f"{begin} but there is no such object" if dangling else f"{begin} and it exists",
    }
    conditions = (schema.get("status") or {}).get("conditions") or ()
    found: JsonObject = next((one for one in conditions if one.get("type") == "Dangling"), {})
    return None if all(found.get(key) == value for key, value in wanted.items()) else wanted


def mended(current: JsonObject, wanted: JsonObject, *, mandatory: bool) -> JsonObject | None:
    """What an object should become; None where it is well."""
    metadata = current["metadata"]
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    said = annotations.get(ANNOTATION, "")
    ours = mandatory or said in TRUE or (said not in FALSE and metadata.get("generation") == 1)
    spec = wanted["spec"] if ours else current["spec"]
    if mandatory and "exempt" in spec and "exempt" in current["spec"]:
        spec = {**spec, "exempt": current["spec"]["exempt"]}  # which may be changed
    if spec == current["spec"] and said in (TRUE if ours else FALSE):
        return None
    noted = {**annotations, ANNOTATION: "true" if ours else "false"}
    return {**current, "metadata": {**metadata, "annotations": noted}, "spec": spec}


async def _ensure(
    client: Client, clock: Clock, kind: type[View], mandatory: Sequence[JsonObject], suggested: Sequence[JsonObject]
) -> None:
    for group in (mandatory, suggested):
        for wanted in group:
            await _ensure_one(client, clock, kind, wanted, mandatory=group is mandatory)
    names = {one["metadata"]["name"] for one in (*mandatory, *suggested)}
    for item in (await client.list(kind)).items:
        metadata = item.raw["metadata"]
        if metadata["name"] not in names and (metadata.get("annotations") or {}).get(ANNOTATION, "") in TRUE:
            with suppress(NotFound):
                await client.delete(kind, metadata["name"])


async def _ensure_one(client: Client, clock: Clock, kind: type[View], wanted: JsonObject, *, mandatory: bool) -> None:
    async def attempt() -> None:
        try:
            current = await client.get(kind, wanted["metadata"]["name"])
        except NotFound:
            metadata = {**wanted["metadata"], "annotations": {ANNOTATION: "true"}}
            with suppress(AlreadyExists):
                await client.create(kind, {**wanted, "metadata": metadata})
            return
        changed = mended(dict(current.raw), wanted, mandatory=mandatory)
        if changed is not None:
            await client.update(kind, changed)

    await retry_on_conflict(clock, attempt)


async def _try(work: Awaitable[None]) -> None:
    try:
        await work
    except StatusError as error:
        log.warning("Priority and fairness objects not kept up; trying again", err=str(error))
