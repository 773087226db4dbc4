"""Reclaimers are found, and asked in order."""

from pathlib import Path

from kubelet.harness import FakeNode, run
from pilothouse.kubelet.eviction.reclaimer import all_reclaimers


def test_they_come_in_the_order_of_their_ranks(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        found = all_reclaimers(node.services, node.workers)
        assert found
        assert [one.rank for one in found] == sorted({one.rank for one in found})

    run(tmp_path, story)
