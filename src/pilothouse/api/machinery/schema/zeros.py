"""Zero values that say nothing: what upstream's answers leave out although it was sent.

Upstream reads every object into Go structs and writes it again, and most optional fields are left out when they hold
their type's zero value: "", 0, false, an empty list or map. Where absence and zero differ, the Go field is a pointer,
and zero stays. OpenAPI does not tell the two apart: `KEPT` does, for the kinds of v1.37. Structs are never left out.
Facts: the json tags of the API's types. *assumed* for groups that are younger than v1.34.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.schema.node import Schema, ZeroClass

_CLASSES: dict[str, ZeroClass] = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}

KEPT_ANYWHERE = frozenset({
    "activeDeadlineSeconds", "allocateLoadBalancerNodePorts", "allowPrivilegeEscalation", "allowVolumeExpansion",
    "appProtocol", "attachRequired", "automountServiceAccountToken", "averageUtilization", "backoffLimit",
    "backoffLimitPerIndex", "blockOwnerDeletion", "collisionCount", "completionMode", "completions", "controller",
    "defaultMode", "defaultUser", "deletionGracePeriodSeconds", "enableServiceLinks", "endPort", "expirationSeconds",
    "failedIndexes", "failedJobsHistoryLimit", "failurePolicy", "fsGroup", "fsGroupChangePolicy", "fsGroupPolicy",
    "gracePeriodSeconds", "holderIdentity", "hostProcess", "hostUsers", "hostnameOverride",
    "ignoreStoreReadErrorWithClusterBreakingPotential", "immutable", "ingressClassName", "initiatorName",
    "internalTrafficPolicy", "ipFamilyPolicy", "ipMode", "leaseDurationSeconds", "leaseTransitions", "lendablePercent",
    "borrowingLimitPercent", "loadBalancerClass", "localhostProfile", "lun", "managedBy", "manualSelector",
    "matchPolicy", "maxExpirationSeconds", "maxFailedIndexes", "minDomains", "mode", "mountPropagation",
    "nodeAffinityPolicy", "nodeAllocatableUpdatePeriodSeconds", "nodeTaintsPolicy", "nominalConcurrencyShares",
    "optional", "orphanDependents", "parallelism", "parameterNotFoundAction", "partition", "podInfoOnMount",
    "podReplacementPolicy", "preemptionPolicy", "preferredHolder", "preventPodSchedulingIfMissing", "priority",
    "privileged", "procMount", "progressDeadlineSeconds", "propagationPolicy", "readOnlyRootFilesystem",
    "recursiveReadOnly", "recursiveReadOnlyMounts", "remainingItemCount", "requiresRepublish", "resourceClaimName",
    "resourceClaimTemplateName", "revisionHistoryLimit", "runAsGroup", "runAsNonRoot", "runAsUser", "runAsUserName",
    "runtimeClassName", "seLinuxChangePolicy", "seLinuxMount", "selectPolicy", "serviceAccountTokenInSecrets",
    "serving", "setHostnameAsFQDN", "shareProcessNamespace", "stabilizationWindowSeconds", "started",
    "startingDeadlineSeconds", "stopSignal", "storageCapacity", "succeededCount", "succeededIndexes",
    "successfulJobsHistoryLimit", "supplementalGroupsPolicy", "suspend", "terminatingReplicas",
    "terminationGracePeriodSeconds", "timeZone", "tolerationSeconds", "trafficDistribution", "ttlSecondsAfterFinished",
    "unhealthyPodEvictionPolicy", "userNamespaces", "volumeAttributesClassName", "volumeBindingMode", "volumeMode",
    "currentVolumeAttributesClassName", "gmsaCredentialSpec", "gmsaCredentialSpecName",
})  # fmt: skip
"""Fields that are pointers, or always written, in whichever struct they are."""

KEPT: Mapping[str, str] = {
    "AzureDiskVolumeSource": "cachingMode fsType readOnly",
    "AzureFilePersistentVolumeSource": "secretNamespace",
    "BasicDevice": "allNodes allowMultipleAllocations bindsToNode nodeName",
    "CSIVolumeSource": "fsType readOnly",
    "ClientIPConfig": "timeoutSeconds",
    "ClusterRole": "rules",
    "ClusterTrustBundleProjection": "name signerName user",
    "Container": "restartPolicy",
    "CustomResourceDefinitionStatus": "conditions storedVersions",
    "CustomResourceDefinitionVersion": "deprecationWarning",
    "CustomResourceSubresourceScale": "labelSelectorPath",
    "Device": "allNodes allowMultipleAllocations bindsToNode nodeName",
    "DeviceAttribute": "bool int string version",
    "DeviceConstraint": "distinctAttribute matchAttribute",
    "DeviceRequest": "adminAccess",
    "DeviceRequestAllocationResult": "adminAccess shareID",
    "DeviceTaintSelector": "device driver pool",
    "DownwardAPIVolumeFile": "user",
    "Endpoint": "hostname nodeName zone",
    "EndpointAddress": "nodeName",
    "EndpointConditions": "ready serving terminating",
    "EndpointSlice": "endpoints ports",
    "EphemeralContainer": "restartPolicy",
    "Event": "reportingComponent reportingInstance",
    "ExactDeviceRequest": "adminAccess",
    "FlowSchemaSpec": "matchingPrecedence",
    "GRPCAction": "service",
    "GlusterfsPersistentVolumeSource": "endpointsNamespace",
    "HorizontalPodAutoscalerSpec": "minReplicas targetCPUUtilizationPercentage",
    "HorizontalPodAutoscalerStatus": "currentCPUUtilizationPercentage currentReplicas observedGeneration",
    "HostPathVolumeSource": "type",
    "IngressClassParametersReference": "apiGroup namespace scope",
    "IngressPortStatus": "error",
    "JSONSchemaProps": "$ref maxItems maxLength maxProperties maximum minItems minLength minProperties minimum "
    "multipleOf x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields",
    "JobStatus": "ready terminating",
    "KeyToPath": "user",
    "LeaseSpec": "strategy",
    "LocalVolumeSource": "fsType",
    "MutatingWebhook": "reinvocationPolicy timeoutSeconds",
    "NamedRuleWithOperations": "scope",
    "NetworkPolicyPort": "protocol",
    "NodeRuntimeHandler": "name",
    "NodeSwapStatus": "capacity",
    "NodeSystemInfo": "runningInUserNamespace",
    "PersistentVolumeClaimSpec": "storageClassName",
    "PodCertificateProjection": "user",
    "PodDNSConfigOption": "value",
    "PodDisruptionBudgetStatus": "currentHealthy desiredHealthy disruptionsAllowed expectedPods",
    "PodFailurePolicyOnExitCodesRequirement": "containerName",
    "PodFailurePolicyOnPodConditionsPattern": "status",
    "PodSchedulingGroup": "podGroupName",
    "Preconditions": "resourceVersion uid",
    "PriorityClass": "value",
    "ProjectedVolumeSource": "sources",
    "QueuingConfiguration": "handSize queueLengthLimit queues",
    "ReplicaSetSpec": "replicas",
    "DeploymentSpec": "replicas",
    "ReplicationControllerSpec": "replicas",
    "ResourceSliceSpec": "allNodes nodeName perDeviceNodeSelection",
    "Role": "rules",
    "RoleRef": "apiGroup",
    "RuleWithOperations": "scope",
    "ServiceAccountTokenProjection": "user",
    "ServiceReference": "path port",
    "StatefulSetOrdinals": "start",
    "StatefulSetSpec": "replicas serviceName",
    "StatefulSetStatus": "availableReplicas",
    "StorageClass": "reclaimPolicy",
    "TypedLocalObjectReference": "apiGroup",
    "TypedObjectReference": "apiGroup namespace",
    "ValidatingWebhook": "timeoutSeconds",
    "Validation": "reason",
    "ValidationRule": "optionalOldSelf reason",
    "VolumeAttachmentSource": "persistentVolumeName",
    "VolumeError": "errorCode",
    "VolumeNodeResources": "count",
    "WebhookClientConfig": "url",
    "discovery.v1.EndpointPort": "name port protocol",
}
"""The same by struct, where other structs have a field of the name that is left out."""


def zeros_of(node: Schema) -> dict[str, ZeroClass]:
    """The fields of a struct that are left out when they are zero, each with the class of its zero."""
    whose = ".".join(node.name.split(".")[-3:])
    kept = {*KEPT.get(node.struct_name, "").split(), *KEPT.get(whose, "").split()}
    found: dict[str, ZeroClass] = {}
    for name, field in node.properties.items():
        kind = _zero_class(field)
        if kind is not None and name not in node.required and name not in kept and name not in KEPT_ANYWHERE:
            found[name] = kind
    return found


def _zero_class(field: Schema) -> ZeroClass | None:
    if field.quantity or field.int_or_string or field.preserve_unknown or field.format == "date-time":
        return None
    if field.type == "object" and field.additional is None:
        return None
    return _CLASSES.get(field.type)
