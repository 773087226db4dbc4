"""Scripts for nft; that they work is tested where they are made."""

import asyncio

import pytest

from pilothouse.linux.nftables import Nft, NftError


def test_absent_command() -> None:
    with pytest.raises(NftError, match="not installed"):
        asyncio.run(Nft(("/nonexistent",)).apply("add table ip t\n"))


@pytest.mark.node
def test_refusal_is_told_and_nothing_is_done() -> None:
    async def scenario() -> None:
        nft = Nft()
        with pytest.raises(NftError, match="nonsense"):
            await nft.apply("add table ip ph-refused\nadd nonsense\n")
        assert "ph-refused" not in await nft.list("tables")

    asyncio.run(scenario())
