"""Fields that are always there: in upstream's Go types they are structs held by value, not by pointer.

Such a field is never added nor taken away, only its content is; so it never appears as a member of a set of fields.
OpenAPI v2 does not tell the two apart. The table lists what can be reached from the root through such fields alone, or
inside list items, for the kinds of v1.37. A list or map that is `required` is always there too (as null): see `walk`.
"""

ROOT_FIELDS = frozenset({"metadata", "spec", "status"})
"""Always there in every kind, CustomResourceDefinitions' objects excepted, which have only `metadata`."""

ALWAYS_THERE = frozenset({
    "AllocationResult.devices", "ContainerResourceMetricSource.target", "ContainerResourceMetricStatus.current",
    "Container.resources", "ContainerStatus.lastState", "ContainerStatus.state", "CronJobSpec.jobTemplate",
    "CustomResourceDefinitionSpec.names", "CustomResourceDefinitionStatus.acceptedNames", "DaemonSetSpec.template",
    "DaemonSetSpec.updateStrategy", "DeploymentSpec.strategy", "DeploymentSpec.template", "Endpoint.conditions",
    "EphemeralContainer.resources", "Event.deprecatedSource", "Event.source", "ExternalMetricSource.metric",
    "ExternalMetricSource.target", "ExternalMetricStatus.current", "ExternalMetricStatus.metric",
    "FlowSchemaSpec.priorityLevelConfiguration", "HTTPIngressPath.backend",
    "HorizontalPodAutoscalerSpec.scaleTargetRef", "IngressStatus.loadBalancer", "JobSpec.template",
    "JobTemplateSpec.metadata", "JobTemplateSpec.spec", "LimitedPriorityLevelConfiguration.limitResponse",
    "MutatingWebhook.clientConfig", "NodeDaemonEndpoints.kubeletEndpoint", "NodeStatus.daemonEndpoints",
    "NodeStatus.nodeInfo", "ObjectMetricSource.describedObject", "ObjectMetricSource.metric",
    "ObjectMetricSource.target", "ObjectMetricStatus.current", "ObjectMetricStatus.describedObject",
    "ObjectMetricStatus.metric", "PersistentVolumeClaimSpec.resources", "PersistentVolumeClaimTemplate.metadata",
    "PersistentVolumeClaimTemplate.spec", "PodTemplate.template", "PodTemplateSpec.metadata", "PodTemplateSpec.spec",
    "PodsMetricSource.metric", "PodsMetricSource.target", "PodsMetricStatus.current", "PodsMetricStatus.metric",
    "ReplicaSetSpec.template", "ResourceClaimSpec.devices", "ResourceClaimTemplateSpec.metadata",
    "ResourceClaimTemplateSpec.spec", "ResourceMetricSource.target", "ResourceMetricStatus.current",
    "ResourceSliceSpec.pool", "ServiceStatus.loadBalancer", "StatefulSetSpec.template",
    "StatefulSetSpec.updateStrategy", "StorageVersionMigrationSpec.resource", "ValidatingWebhook.clientConfig",
    "VolumeAttachmentSpec.source", "WeightedPodAffinityTerm.podAffinityTerm",
})  # fmt: skip
