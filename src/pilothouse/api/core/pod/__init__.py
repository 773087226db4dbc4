"""Pod: one or more containers that start, live and end together on one node.

Everything that workloads need for their pod templates is here too: `defaults.default_pod_template` and
`validation.validate_pod_template`. API page: workload-resources/pod-v1.
"""

from pilothouse.api.core.pod.columns import COLUMNS, SELECTABLE_FIELDS, row_conditions
from pilothouse.api.core.pod.defaults import default
from pilothouse.api.core.pod.status_update import validate_status
from pilothouse.api.core.pod.strategy import (
    bound_once,
    grace_period,
    leave_to_the_path,
    prepare_for_create,
    prepare_for_ephemeral_containers,
    prepare_for_resize,
    prepare_for_status_update,
    prepare_for_update,
)
from pilothouse.api.core.pod.subresource_update import validate_ephemeral_containers_update, validate_resize
from pilothouse.api.core.pod.update import validate_update
from pilothouse.api.core.pod.validation import validate, validate_create
from pilothouse.api.core.pod.warnings import warn
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.types.core_v1 import Pod

_CONNECT = ("get", "create")

RESOURCE = Resource(
    kind=Pod,
    group="",
    version="v1",
    plural="pods",
    singular="pod",
    short_names=("po",),
    categories=("all",),
    subresources=(
        Subresource("attach", kind="PodAttachOptions", group="", version="v1", verbs=_CONNECT),
        Subresource(
            "binding", kind="Binding", group="", version="v1", verbs=("create",),
            prepare=leave_to_the_path, validate=bound_once,
        ),
        Subresource(
            "ephemeralcontainers",
            prepare=prepare_for_ephemeral_containers,
            validate=validate_ephemeral_containers_update,
        ),
        Subresource("eviction", kind="Eviction", group="policy", version="v1", verbs=("create",)),
        Subresource("exec", kind="PodExecOptions", group="", version="v1", verbs=_CONNECT),
        Subresource("log", verbs=("get",)),
        Subresource("portforward", kind="PodPortForwardOptions", group="", version="v1", verbs=_CONNECT),
        Subresource(
            "proxy", kind="PodProxyOptions", group="", version="v1",
            verbs=("create", "delete", "get", "patch", "update"),
        ),
        Subresource("resize", prepare=prepare_for_resize, validate=validate_resize),
        Subresource("status", prepare=prepare_for_status_update),
    ),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn,
    grace_period=grace_period,
    answers_deleted_object=True,
    columns=COLUMNS,
    row_conditions=row_conditions,
    selectable_fields=SELECTABLE_FIELDS,
    indexed_fields=("spec.nodeName",),
)  # fmt: skip
