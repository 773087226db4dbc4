"""/metrics/probes has what is counted of probes, and /metrics has not."""

import asyncio
from pathlib import Path

from kubelet.server.harness import around, node
from pilothouse.kubelet.server.pages.probe_metrics import ProbeMetrics
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Peer, Request


def test_probes_have_a_page_of_their_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            inside = around(lambda: one.pods, one.cri, tmp_path, one.metrics)
            inside.probe_metrics.counter("prober_probe_total", "[BETA] Probes.", ("probe_type",)).labels(
                "Liveness"
            ).inc()
            question = Question(Request("GET", "/metrics/probes", {}, Peer("127.0.0.1:1")), "/metrics/probes", {})
            body = (await ProbeMetrics(inside).answer(question)).body
            assert isinstance(body, bytes)
            assert b'prober_probe_total{probe_type="Liveness"} 1.0\n' in body
            status, text, _ = await one.ask("/metrics/probes")
            assert (status, "prober" in text) == (200, False)
            assert "prober" not in (await one.ask("/metrics"))[1]

    asyncio.run(main())
