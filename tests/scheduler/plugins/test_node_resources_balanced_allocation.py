"""The formula is that of balancedResourceScorer; its numbers are worked out by hand."""

import pytest

from pilothouse.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from scheduler.samples import cluster, info, node

BALANCED = NodeResourcesBalancedAllocation()


@pytest.mark.parametrize(
    ("there", "needs", "score"),
    [
        ({}, {}, None),
        ({}, {"example.org/gpu": "1"}, None),
        ({}, {"cpu": "2", "memory": "4Gi"}, 75),  # balanced before (100) and after (100)
        ({}, {"cpu": "4"}, 50),  # from 100 to 50
        ({"cpu": "4"}, {"memory": "8Gi"}, 100),  # from 50 to 100
        ({"cpu": "2"}, {"cpu": "2"}, 62),  # from 75 to 50
        ({"cpu": "4"}, {"cpu": "4", "memory": "8Gi"}, 100),  # more than there is counts as all
    ],
)
def test_the_change_in_balance(there: dict[str, str], needs: dict[str, str], score: int | None) -> None:
    nodes = cluster(node(cpu="4", memory="8Gi"), running=(info("there", requests=there, on="n"),))
    found = BALANCED.rates(info(requests=needs), nodes)
    assert (None if found is None else found[0]) == score


def test_a_node_that_offers_one_of_both_is_balanced() -> None:
    found = BALANCED.rates(info(requests={"cpu": "1"}), cluster(node(cpu="4", memory="0")))
    assert found is not None
    assert found[0] == 75
