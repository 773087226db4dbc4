"""/configz: what of the configuration is told, and that no secret is."""

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson

from kubelet.server.harness import around, node
from pilothouse.kubelet.configuration.mapping import wire
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.reservations import Reservations


def test_it_is_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, text, _ = await one.ask("/configz")
            told = orjson.loads(text)["kubeletconfig"]
            assert status == 200
            assert (told["kind"], told["apiVersion"]) == ("KubeletConfiguration", "kubelet.config.k8s.io/v1beta1")
            assert (told["maxPods"], told["podPidsLimit"], told["enforceNodeAllocatable"]) == (110, -1, ["pods"])
            assert (told["rotateCertificates"], told["serverTLSBootstrap"]) == (False, False)
            assert (told["volumeStatsAggPeriod"], told["containerLogMonitorInterval"]) == ("1m0s", "10s")
            one.auth.may = ("pods", "metrics")
            assert (await one.ask("/configz"))[0] == 403

    asyncio.run(main())


def test_it_says_what_is_set(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            config = around(list, one.cri, tmp_path).config
            kept = Reservations(kube={"cpu": "1"}, kube_cgroup="/kube", enforce=("pods", "kube-reserved"))
            soft = EvictionPolicy(hard={}, soft={"pid.available": "1"}, soft_grace={"pid.available": 90})
            told = wire(replace(config, reservations=kept, pod_pids_limit=9, cluster_dns=("10.0.0.10",), eviction=soft))
            assert (told["evictionHard"], told["evictionSoftGracePeriod"]) == ({}, {"pid.available": "1m30s"})
            assert (told["kubeReserved"], told["kubeReservedCgroup"]) == ({"cpu": "1"}, "/kube")
            assert (told["podPidsLimit"], told["clusterDNS"]) == (9, ["10.0.0.10"])
            assert (told["imageGCHighThresholdPercent"], told["imageMinimumGCAge"]) == (85, "2m0s")
            assert (told["cpuManagerPolicy"], told["cpuManagerReconcilePeriod"]) == ("none", "10s")
            assert (told["topologyManagerPolicy"], told["topologyManagerScope"]) == ("none", "container")
            assert (told["serializeImagePulls"], "maxParallelImagePulls" in told) == (True, False)
            assert told["imagePullCredentialsVerificationPolicy"] == "NeverVerifyPreloadedImages"
            several = wire(replace(config, image_policy=ImagePolicy(max_parallel_pulls=3)))
            assert (several["serializeImagePulls"], several["maxParallelImagePulls"]) == (False, 3)
            assert not any("serving" in name or "client" in name.lower() for name in told)

    asyncio.run(main())
