"""Pod: one or more containers that start, live and end together on one node.

Everything that workloads need for their pod templates is here too: `defaults.default_pod_template` and
`validation.validate_pod_template`. API page: workload-resources/pod-v1.
"""

from pilothouse.api.core.pod.columns import COLUMNS, SELECTABLE_FIELDS
from pilothouse.api.core.pod.defaults import default
from pilothouse.api.core.pod.status_update import validate_status
from pilothouse.api.core.pod.strategy import prepare_for_create, prepare_for_update
from pilothouse.api.core.pod.update import validate_update
from pilothouse.api.core.pod.validation import validate, validate_create
from pilothouse.api.machinery.resource import STATUS, Resource, Subresource
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
        Subresource("binding", kind="Binding", group="", version="v1", verbs=("create",)),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", kind="Eviction", group="policy", version="v1", verbs=("create",)),
        Subresource("exec", kind="PodExecOptions", group="", version="v1", verbs=_CONNECT),
        Subresource("log", verbs=("get",)),
        Subresource("portforward", kind="PodPortForwardOptions", group="", version="v1", verbs=_CONNECT),
        Subresource(
            "proxy", kind="PodProxyOptions", group="", version="v1",
            verbs=("create", "delete", "get", "patch", "update"),
        ),
        Subresource("resize"),
        STATUS,
    ),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=COLUMNS,
    selectable_fields=SELECTABLE_FIELDS,
    indexed_fields=("spec.nodeName",),
)  # fmt: skip
