"""/healthz in its forms."""

import asyncio
from pathlib import Path

import pytest

from kubelet.server.harness import node

LINES = "[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n"
SICK = "[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n"


@pytest.mark.parametrize(
    ("target", "complaint", "status", "words"),
    [
        ("/healthz", "", 200, "ok"),
        ("/healthz?verbose", "", 200, LINES),
        ("/healthz/ping", "slow", 200, "ok"),
        ("/healthz/log", "slow", 200, "ok"),
        ("/healthz/syncloop", "", 200, "ok"),
        ("/healthz", "slow", 500, SICK),
        ("/healthz?exclude=syncloop", "slow", 200, "ok"),
        ("/healthz/syncloop", "slow", 500, "internal server error: slow\n"),
        ("/healthz/other", "", 404, "404 page not found\n"),
    ],
)
def test_health(tmp_path: Path, target: str, complaint: str, status: int, words: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.complaint = complaint
            assert (await one.ask(target))[:2] == (status, words)

    asyncio.run(main())
