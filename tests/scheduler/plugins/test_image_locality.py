import pytest

from pilothouse.scheduler.plugins.image_locality import LEAST, MOST, ImageLocality, full_name
from scheduler.samples import cluster, info, node


@pytest.mark.parametrize(
    ("image", "name"),
    [("nginx", "nginx:latest"), ("nginx:1", "nginx:1"), ("host:5000/a/b", "host:5000/a/b:latest"),
     ("host:5000/a/b:2", "host:5000/a/b:2"), ("a@sha256:00", "a@sha256:00")],
)  # fmt: skip
def test_names_have_a_tag(image: str, name: str) -> None:
    assert full_name(image) == name


@pytest.mark.parametrize(
    ("sizes", "scores"),
    [
        ([0, None], [0, 0]),
        ([MOST, None], [100 * (MOST // 2 - LEAST) // (MOST - LEAST), 0]),
        ([MOST, MOST], [100, 100]),
        ([2 * MOST, None], [100, 0]),
        ([LEAST, LEAST], [0, 0]),
        ([None, None], [0, 0]),
    ],
)
def test_large_images_that_many_have_count(sizes: list[int | None], scores: list[int]) -> None:
    held = [{} if size is None else {"web:1": size} for size in sizes]
    nodes = cluster(node("a", images=held[0]), node("b", images=held[1]))
    found = ImageLocality().rates(info(image="web:1"), nodes)
    assert found is not None
    assert found[:2].tolist() == scores


def test_each_image_of_the_pod_counts() -> None:
    nodes = cluster(node(images={"web:1": MOST}))
    one = info(image="web:1", initContainers=[{"name": "i", "image": "init:1"}])
    found = ImageLocality().rates(one, nodes)
    assert found is not None
    assert found[0] == 100 * (MOST - LEAST) // (2 * MOST - LEAST)


def test_a_pulled_image_counts_from_then_on() -> None:
    nodes, plugin = cluster(node("a"), node("b")), ImageLocality()
    for images, score in (({}, 0), ({"web:1": 2 * MOST}, 100), ({}, 0)):
        nodes.set_node(node("a", images=images))
        found = plugin.rates(info(image="web:1"), nodes)
        assert found is not None
        assert found[0] == score
