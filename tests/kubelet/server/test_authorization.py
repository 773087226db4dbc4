"""What is asked of the API server, and for how long its answer counts."""

from dataclasses import dataclass, field

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authorization_v1 import SubjectAccessReview
from pilothouse.kubelet.server.attributes import attributes_of
from pilothouse.kubelet.server.authorization import Authorization, access_spec
from pilothouse.kubelet.server.caller import Caller
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop

ANN = Caller("ann", ("team", "system:authenticated"), "u1", (("scope", ("a", "b")),))
READ = attributes_of("GET", "/pods")


@dataclass
class FakeReviews:
    allowed: bool = True
    denied: bool = False
    asked: list[JsonObject] = field(default_factory=list)

    async def review_access(self, spec: JsonObject) -> SubjectAccessReview:
        self.asked.append(spec)
        return SubjectAccessReview({"status": {"allowed": self.allowed, "denied": self.denied}})


def test_the_question() -> None:
    assert access_spec(ANN, READ, "pods", "n1") == {
        "user": "ann",
        "uid": "u1",
        "groups": ["team", "system:authenticated"],
        "extra": {"scope": ["a", "b"]},
        "resourceAttributes": {
            "verb": "get", "version": "v1", "resource": "nodes", "subresource": "pods", "name": "n1",
        },
    }  # fmt: skip


@pytest.mark.parametrize(("allowed", "denied", "counts"), [(True, False, 300), (False, False, 30), (True, True, 30)])
def test_an_answer_counts_for_a_while(allowed: bool, denied: bool, counts: float) -> None:
    async def main(clock: LoopClock, _: object) -> None:
        reviews = FakeReviews(allowed, denied)
        may = Authorization(reviews, "n1", clock)
        for _n in range(2):
            assert await may.allows(ANN, READ, "pods") is (allowed and not denied)
        await clock.sleep(counts - 1)
        await may.allows(ANN, READ, "pods")
        assert len(reviews.asked) == 1
        await clock.sleep(2)
        await may.allows(ANN, READ, "pods")
        assert len(reviews.asked) == 2

    loop.run(main)


def test_every_question_is_its_own() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        reviews = FakeReviews()
        may = Authorization(reviews, "n1", clock)
        await may.allows(ANN, READ, "pods")
        await may.allows(ANN, READ, "proxy")
        await may.allows(ANN, attributes_of("POST", "/pods"), "pods")
        await may.allows(Caller("ann"), READ, "pods")
        assert len(reviews.asked) == 4

    loop.run(main)
