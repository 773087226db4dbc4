"""Programs that give credentials are timed, and their failures counted."""

from pathlib import Path

import pytest

from kubelet.images.test_providers import V1, Station, answering
from pilothouse.kubelet.counts.provider_counts import ProviderCounts
from pilothouse.kubelet.images.provider_config import Provider
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.testing import loop


@pytest.mark.parametrize(("answer", "errors"), [(answering(), 0), ("exit 3", 1), ("echo no", 1)])
def test_each_question_is_timed(tmp_path: Path, answer: str, errors: int) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        node, metrics = Station(tmp_path, clock, answer), Metrics()
        program = Provider("giver", V1, program=str(tmp_path / "giver"), images=("*.example",), cached=60.0)
        node.providers = CredentialProviders([program], node._account, node._token, clock, ProviderCounts(metrics))
        await node.users()
        said, of = metrics.registry.get_sample_value, {"plugin_name": "giver"}
        assert said("kubelet_credential_provider_plugin_duration_count", of) == 1
        assert (said("kubelet_credential_provider_plugin_errors_total", of) or 0) == errors

    loop.run(main)
