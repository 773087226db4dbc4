"""PriorityLevelConfiguration: how many requests of a level run and wait at once."""

from pilothouse.api.machinery.columns import AGE, NONE, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.flowcontrol_v1 import PriorityLevelConfiguration

RESOURCE = Resource(
    kind=PriorityLevelConfiguration,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(
        Column("Type", show("spec", "type")),
        Column("NominalConcurrencyShares", show("spec", "limited", "nominalConcurrencyShares", absent=NONE)),
        Column("Queues", show("spec", "limited", "limitResponse", "queuing", "queues", absent=NONE)),
        Column("HandSize", show("spec", "limited", "limitResponse", "queuing", "handSize", absent=NONE)),
        Column(
            "QueueLengthLimit", show("spec", "limited", "limitResponse", "queuing", "queueLengthLimit", absent=NONE)
        ),
        AGE,
    ),
)
