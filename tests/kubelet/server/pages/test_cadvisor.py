"""/metrics/cadvisor against a page that was read through: names and labels are what dashboards ask for."""

import asyncio
from pathlib import Path

from kubelet.server.harness import MACHINE, node
from kubelet.using import FRESH, NODE, USED
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.pages.cadvisor import Figures


def test_the_page_letter_by_letter() -> None:
    figures = Figures(lambda group: 2 if group.endswith("c2") else 0)
    figures.add_machine(MACHINE)
    figures.add(NODE, [FRESH, USED])
    assert page(figures.families.values()).decode() == (Path(__file__).parent / "cadvisor.txt").read_text()


def test_it_is_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, text, _ = await one.ask("/metrics/cadvisor")
            assert status == 200
            assert "machine_memory_bytes" in text
            assert 'id="/kubepods/besteffort/poduid-web/c1",image="app:1",name="c1",namespace="shop",pod="web"' in text
            assert "container_scrape_error 0\n" in text

    asyncio.run(main())
