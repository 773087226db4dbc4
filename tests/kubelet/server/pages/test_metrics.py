"""/metrics beside upstream's: names, kinds and labels are a contract; what is left out has its reason here.

The names are those of the metrics reference of v1.36 (kubernetes.io), the buckets of pkg/kubelet/metrics/metrics.go.
*Assumed*: that v1.37 has no others.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from kubelet.server.harness import node
from kubelet.test_main import config
from pilothouse.kubelet import main, wiring
from pilothouse.kubelet.counts.provider_counts import ProviderCounts
from pilothouse.kubelet.counts.runtime_calls import RuntimeCalls
from pilothouse.kubelet.cri.interface import CriUnavailable, Image
from pilothouse.kubelet.identity.counts import ClientCounts, ServingCounts
from pilothouse.kubelet.managers.memory_policy import STATIC, MemoryPolicy, NodeReservation
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.topology import Topology
from pilothouse.kubelet.reservations import Reservations
from pilothouse.kubelet.server.log_metrics import log_family
from pilothouse.kubelet.server.page import PageContext
from pilothouse.kubelet.server.volume_metrics import volume_families
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

UPSTREAM = """
active_pods gauge static
admission_rejections_total counter reason
certificate_manager_client_expiration_renew_errors counter
certificate_manager_client_ttl_seconds gauge
certificate_manager_server_rotation_seconds histogram
certificate_manager_server_ttl_seconds gauge
cgroup_manager_duration_seconds histogram operation_type
cgroup_version gauge
container_aligned_compute_resources_count counter boundary scope
container_aligned_compute_resources_failure_count counter boundary scope
container_log_filesystem_used_bytes gauge container namespace pod uid
container_requested_resizes_total counter operation requirement resource
containers_per_pod_count histogram
cpu_manager_allocation_per_numa gauge numa_node
cpu_manager_exclusive_cpu_allocation_count gauge
cpu_manager_pinning_errors_total counter
cpu_manager_pinning_requests_total counter
cpu_manager_shared_pool_size_millicores gauge
credential_provider_config_info gauge hash
credential_provider_plugin_duration histogram plugin_name
credential_provider_plugin_errors_total counter plugin_name
cri_losing_support gauge version
desired_pods gauge static
device_plugin_alloc_duration_seconds histogram resource_name
device_plugin_registration_total counter resource_name
evented_pleg_connection_error_count counter
evented_pleg_connection_latency_seconds histogram
evented_pleg_connection_success_count counter
eviction_stats_age_seconds histogram eviction_signal
evictions counter eviction_signal
graceful_shutdown_end_time_seconds gauge
graceful_shutdown_start_time_seconds gauge
http_inflight_requests gauge long_running method path server_type
http_requests_duration_seconds histogram long_running method path server_type
http_requests_total counter long_running method path server_type
image_garbage_collected_total counter reason
image_manager_ensure_image_requests_total counter present_locally pull_policy pull_required
image_pull_duration_seconds histogram image_size_in_bytes
imagemanager_image_mustpull_checks_total counter result
imagemanager_inmemory_pulledrecords_usage_percent gauge
imagemanager_inmemory_pullintents_usage_percent gauge
imagemanager_ondisk_pulledrecords gauge
imagemanager_ondisk_pullintents gauge
lifecycle_handler_http_fallbacks_total counter
managed_ephemeral_containers gauge
memory_manager_pinning_errors_total counter
memory_manager_pinning_requests_total counter
metrics_provider gauge provider
mirror_pods gauge
node_name gauge node
node_startup_duration_seconds gauge
node_startup_post_registration_duration_seconds gauge
node_startup_pre_kubelet_duration_seconds gauge
node_startup_pre_registration_duration_seconds gauge
node_startup_registration_duration_seconds gauge
orphan_pod_cleaned_volumes gauge
orphan_pod_cleaned_volumes_errors gauge
orphaned_runtime_pods_total counter
pleg_discard_events counter
pleg_last_seen_seconds gauge
pleg_relist_duration_seconds histogram
pleg_relist_interval_seconds histogram
pod_deferred_accepted_resizes_total counter retry_trigger
pod_in_progress_resizes gauge
pod_infeasible_resizes_total counter reason_detail
pod_pending_resizes gauge reason
pod_resize_duration_milliseconds histogram success
pod_resources_endpoint_errors_get counter server_api_version
pod_resources_endpoint_errors_get_allocatable counter server_api_version
pod_resources_endpoint_errors_list counter server_api_version
pod_resources_endpoint_requests_get counter server_api_version
pod_resources_endpoint_requests_get_allocatable counter server_api_version
pod_resources_endpoint_requests_list counter server_api_version
pod_resources_endpoint_requests_total counter server_api_version
pod_start_duration_seconds histogram
pod_start_sli_duration_seconds histogram
pod_start_total_duration_seconds histogram
pod_status_sync_duration_seconds histogram
pod_worker_duration_seconds histogram operation_type
pod_worker_start_duration_seconds histogram
podcertificate_states gauge signer_name state
preemptions counter preemption_signal
restarted_pods_total counter static
run_podsandbox_duration_seconds histogram runtime_handler
run_podsandbox_errors_total counter runtime_handler
running_containers gauge container_state
running_pods gauge
runtime_operations_duration_seconds histogram operation_type
runtime_operations_errors_total counter operation_type
runtime_operations_total counter operation_type
server_expiration_renew_errors counter
sleep_action_terminated_early_total counter
started_containers_errors_total counter code container_type
started_containers_total counter container_type
started_host_process_containers_errors_total counter code container_type
started_host_process_containers_total counter container_type
started_pods_errors_total counter
started_pods_total counter
started_user_namespaced_pods_errors_total counter
started_user_namespaced_pods_total counter
topology_manager_admission_duration_ms histogram
topology_manager_admission_errors_total counter
topology_manager_admission_requests_total counter
volume_metric_collection_duration_seconds histogram metric_source
volume_stats_available_bytes gauge namespace persistentvolumeclaim
volume_stats_capacity_bytes gauge namespace persistentvolumeclaim
volume_stats_health_status_abnormal gauge namespace persistentvolumeclaim
volume_stats_inodes gauge namespace persistentvolumeclaim
volume_stats_inodes_free gauge namespace persistentvolumeclaim
volume_stats_inodes_used gauge namespace persistentvolumeclaim
volume_stats_used_bytes gauge namespace persistentvolumeclaim
working_pods gauge config lifecycle static
"""
LEFT_OUT = {
    "container_aligned_compute_resources_count": "nobody is told yet which alignment a container has got",
    "container_aligned_compute_resources_failure_count": "the same",
    "credential_provider_config_info": "the configuration is read once, and not kept",
    "cri_losing_support": "every runtime of CRI v1 is supported",
    "evented_pleg_connection_latency_seconds": "events are read as they come: nobody knows when they were made",
    "imagemanager_image_mustpull_checks_total": "the records do not tell why an image must be pulled",
    "imagemanager_inmemory_pulledrecords_usage_percent": "there is no cache of records in memory",
    "imagemanager_inmemory_pullintents_usage_percent": "the same",
    "imagemanager_ondisk_pulledrecords": "a listing of a directory at each scrape, for figures of that cache",
    "imagemanager_ondisk_pullintents": "the same",
    "node_startup_duration_seconds": "the phases of a node's start are not told apart",
    "node_startup_post_registration_duration_seconds": "the same",
    "node_startup_pre_kubelet_duration_seconds": "the same",
    "node_startup_pre_registration_duration_seconds": "the same",
    "node_startup_registration_duration_seconds": "the same",
    "pleg_discard_events": "no event is thrown away: workers are woken, there is no queue that may be full",
    "pod_start_sli_duration_seconds": "pulls and init containers are not taken from a pod's start",
    "podcertificate_states": "volumes of pod certificates are not counted by their state",
    "restarted_pods_total": "a pod that comes back under its uid is the pod that it was",
    "started_host_process_containers_errors_total": "Windows alone",
    "started_host_process_containers_total": "Windows alone",
    "volume_metric_collection_duration_seconds": "volumes are measured on their own, not for who asks",
    "volume_stats_health_status_abnormal": "drivers are not asked for the health of volumes (alpha)",
}
Described = tuple[str, tuple[str, ...]]


@pytest.fixture(autouse=True)
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own control groups are nothing to this kubelet."""
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))


def counted(metrics: Metrics) -> Iterator[tuple[str, Described]]:
    """What a registry holds, whether it has counted anything yet or not."""
    exact = metrics._exact
    collectors: Any = metrics.registry._collector_to_names
    for one in collectors:
        name = one._name if one._type != "counter" or one._name in exact else f"{one._name}_total"
        yield name, (one._type, tuple(sorted(one._labelnames)))


def told(context: PageContext) -> Iterator[tuple[str, Described]]:
    families = [*context.told(), *volume_families([], lambda _: {}), log_family(())]
    for one in families:
        names = {tuple(sorted(name for name, _ in labels)) for labels, _ in one.samples}
        yield one.name, (one.kind, names.pop() if names else ("?",))


def of_a_whole_kubelet(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Described]:
    """What one tells that hands out processors and memory, with what is counted only where there is something."""
    found: list[PageContext] = []

    def noted(*given: Any) -> PageContext:
        found.append(page_context(*given))
        return found[0]

    page_context = wiring.page_context
    monkeypatch.setattr(wiring, "page_context", noted)

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            ready = list[bool]()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",), (), 7)})
            last = str(max(Topology.read().ids))
            policy = Exclusive(cpu_policy="static", reserved_cpus=last)
            kept = MemoryPolicy(policy=STATIC, reserved=(NodeReservation(0, {"memory": "1124Mi"}),))
            wanted = config(
                root, clock.now(), exclusive=policy, memory=kept, reservations=Reservations(system={"memory": "1Gi"})
            )
            kubelet = main.run(wanted, cluster.client(), cri, clock, chance, lambda: ready.append(True))
            tasks.spawn(kubelet, name="kubelet")
            async with clock.timeout(30):
                while not ready:
                    await clock.sleep(0.1)
            await clock.sleep(5)
            tasks.cancel_all()

    run(story)
    (context,) = found
    RuntimeCalls(context.metrics)
    ProviderCounts(context.metrics)
    ClientCounts(context.metrics, cast("Any", None), context.clock)
    ServingCounts(context.metrics, cast("Any", None), context.clock)
    every = dict([*counted(context.metrics), *told(context)])
    return {name.removeprefix("kubelet_"): about for name, about in every.items() if name.startswith("kubelet_")}


def test_names_kinds_and_labels_are_upstreams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = of_a_whole_kubelet(tmp_path, monkeypatch)
    lines = [line.split() for line in UPSTREAM.split("\n") if line]
    upstreams = {name: (kind, tuple(labels)) for name, kind, *labels in lines}
    known = {name: about for name, about in ours.items() if about[1] != ("?",)}
    assert {name: about for name, about in known.items() if upstreams.get(name) != about} == {}
    assert set(ours) - set(upstreams) == set()
    assert sorted(set(upstreams) - set(ours)) == sorted(LEFT_OUT)


@pytest.mark.parametrize("error", [CriUnavailable("UNAVAILABLE", "gone"), OSError("too many open files")], ids=str)
def test_it_is_told_while_the_runtime_or_a_group_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def away() -> None:
        raise error

    async def main_() -> None:
        async with node(tmp_path) as one:
            monkeypatch.setattr(one.cri, "sandboxes", away)
            status, text, _ = await one.ask("/metrics")
            assert status == 200
            assert "container_log" not in text

    asyncio.run(main_())
