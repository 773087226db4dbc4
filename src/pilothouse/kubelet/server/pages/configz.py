"""/configz: the configuration that this kubelet runs with, as a KubeletConfiguration.

Only what there is in ours; secrets are no part of it. Source: staging/src/k8s.io/component-base/configz.
"""

from collections.abc import Callable, Mapping

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.volume_meter import PERIOD
from pilothouse.net.http import Response
from pilothouse.runtime.durations import go_duration


class Configz(Page):
    """In JSON."""

    paths = ("configz",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """The document."""
        return Response(200, orjson.dumps({"kubeletconfig": kubelet_configuration(self._around.config)}))


def kubelet_configuration(config: KubeletConfig) -> JsonObject:
    """With upstream's names: pure."""
    told: JsonObject = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    for name, of in _FIELDS.items():
        if (value := of(config)) is not None:
            told[name] = value
    return told


def _durations(found: Mapping[str, float]) -> dict[str, str]:
    return {name: go_duration(seconds) for name, seconds in found.items()}


_FIELDS: dict[str, Callable[[KubeletConfig], object]] = {
    "address": lambda config: config.host,
    "port": lambda config: config.port,
    "cgroupDriver": lambda _: "cgroupfs",
    "cgroupRoot": lambda config: config.cgroup_root,
    "cgroupsPerQOS": lambda _: True,
    "clusterDNS": lambda config: list(config.cluster_dns),
    "clusterDomain": lambda config: config.cluster_domain,
    "containerLogMaxFiles": lambda config: config.log_rotation.max_files,
    "containerLogMaxSize": lambda config: str(config.log_rotation.max_size),
    "containerLogMaxWorkers": lambda config: config.log_rotation.max_workers,
    "containerLogMonitorInterval": lambda config: go_duration(config.log_rotation.monitor_interval),
    "enforceNodeAllocatable": lambda config: list(config.reservations.enforce),
    "evictionHard": lambda config: dict(config.eviction.hard),
    "evictionSoft": lambda config: dict(config.eviction.soft),
    "evictionSoftGracePeriod": lambda config: _durations(config.eviction.soft_grace),
    "evictionMinimumReclaim": lambda config: dict(config.eviction.minimum_reclaim),
    "evictionMaxPodGracePeriod": lambda config: config.eviction.max_pod_grace,
    "evictionPressureTransitionPeriod": lambda config: go_duration(config.eviction.transition),
    "mergeDefaultEvictionSettings": lambda config: config.eviction.merge_defaults,
    "kernelMemcgNotification": lambda config: config.eviction.kernel_notification,
    "localStorageCapacityIsolation": lambda config: config.eviction.local_storage,
    "imageGCHighThresholdPercent": lambda config: config.image_policy.high_threshold,
    "imageGCLowThresholdPercent": lambda config: config.image_policy.low_threshold,
    "imageMinimumGCAge": lambda config: go_duration(config.image_policy.minimum_age),
    "imageMaximumGCAge": lambda config: go_duration(config.image_policy.maximum_age),
    "imagePullCredentialsVerificationPolicy": lambda config: config.image_policy.verify.value,
    "preloadedImagesVerificationAllowlist": lambda config: list(config.image_policy.allowlist),
    "serializeImagePulls": lambda config: config.image_policy.at_once == 1,
    "maxParallelImagePulls": lambda config: config.image_policy.max_parallel_pulls,
    "cpuManagerPolicy": lambda config: config.exclusive.cpu_policy,
    "cpuManagerPolicyOptions": lambda config: dict(config.exclusive.cpu_options),
    "cpuManagerReconcilePeriod": lambda config: go_duration(config.exclusive.reconcile_period),
    "topologyManagerPolicy": lambda config: config.exclusive.topology_policy,
    "topologyManagerScope": lambda config: config.exclusive.topology_scope,
    "reservedSystemCPUs": lambda config: config.exclusive.reserved_cpus,
    "kubeReserved": lambda config: dict(config.reservations.kube),
    "kubeReservedCgroup": lambda config: config.reservations.kube_cgroup,
    "systemReserved": lambda config: dict(config.reservations.system),
    "systemReservedCgroup": lambda config: config.reservations.system_cgroup,
    "memorySwap": lambda config: {"swapBehavior": config.swap.behavior},
    "maxPods": lambda config: config.max_pods,
    "podPidsLimit": lambda config: config.pod_pids_limit or -1,
    "podLogsDir": lambda config: str(config.logs),
    "rotateCertificates": lambda config: config.certificates.rotate_certificates,
    "serverTLSBootstrap": lambda config: config.certificates.server_tls_bootstrap,
    "resolvConf": lambda config: str(config.resolver),
    "volumeStatsAggPeriod": lambda _: go_duration(PERIOD),
}
