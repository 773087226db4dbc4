"""Callers by certificate and by token; nobody is anybody."""

from dataclasses import dataclass, field

import pytest
from cryptography import x509

from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.api.types.authentication_v1 import TokenReview
from pilothouse.kubelet.server.authentication import Authentication, bearer_token
from pilothouse.kubelet.server.caller import Caller
from pilothouse.net.http import Peer, Request
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop

AUTHORITY = Authority.create("test", loop.EPOCH)
GOOD = {
    "authenticated": True,
    "user": {"username": "ann", "uid": "u1", "groups": ["team"], "extra": {"scope": ["a", "b"]}},
}


@dataclass
class FakeReviews:
    status: dict[str, object] = field(default_factory=lambda: dict(GOOD))
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    async def review_token(self, token: str) -> TokenReview:
        self.asked.append(token)
        if self.broken:
            raise ServiceUnavailable("no")
        return TokenReview({"status": self.status})


def request(*, token: str = "", certificate: x509.Certificate | None = None) -> Request:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Request("GET", "/pods", headers, Peer("127.0.0.1:1", certificate))


def certificate(name: str, *groups: str, usage: Usage = Usage.CLIENT, lifetime: float = 600.0) -> x509.Certificate:
    pair = AUTHORITY.issue(name, groups, usage=usage, now=loop.EPOCH, lifetime=lifetime)
    return x509.load_pem_x509_certificate(pair.certificate)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc", "abc"),
        ("Bearer abc def", "abc"),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Basic abc", ""),
        ("", ""),
    ],
)
def test_the_token_of_a_header(header: str, token: str) -> None:
    assert bearer_token(header) == token


def test_a_certificate_is_its_subject_in_its_time() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        who = Authentication(FakeReviews(), clock)
        shown = certificate("api", "system:masters")
        assert await who.authenticate(request(certificate=shown)) == Caller(
            "api", ("system:masters", "system:authenticated")
        )
        assert await who.authenticate(request(certificate=certificate("node", usage=Usage.SERVER))) is None
        await clock.sleep(601)
        assert await who.authenticate(request(certificate=shown)) is None

    loop.run(main)


def test_a_token_is_reviewed_once_in_two_minutes() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        reviews = FakeReviews()
        who = Authentication(reviews, clock)
        ann = Caller("ann", ("team", "system:authenticated"), "u1", (("scope", ("a", "b")),))
        for _n in range(3):
            assert await who.authenticate(request(token="t")) == ann
        assert reviews.asked == ["t"]
        await clock.sleep(121)
        await who.authenticate(request(token="t"))
        await who.authenticate(request(token="other"))
        assert reviews.asked == ["t", "t", "other"]

    loop.run(main)


@pytest.mark.parametrize("status", [{"authenticated": False, "error": "expired"}, {}, {"authenticated": True}])
def test_a_token_that_does_not_count_makes_nobody(status: dict[str, object]) -> None:
    async def main(clock: LoopClock, _: object) -> None:
        reviews = FakeReviews(status)
        who = Authentication(reviews, clock)
        for _n in range(2):
            assert await who.authenticate(request(token="t")) is None
        assert reviews.asked == ["t"]

    loop.run(main)


def test_an_expired_certificate_leaves_the_token() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        who = Authentication(FakeReviews(), clock)
        old = certificate("old", lifetime=1.0)
        await clock.sleep(10)
        caller = await who.authenticate(request(token="t", certificate=old))
        assert caller is not None
        assert caller.name == "ann"

    loop.run(main)


def test_nothing_shown_is_nobody_and_a_failed_review_is_not_remembered() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        reviews = FakeReviews(broken=True)
        who = Authentication(reviews, clock)
        assert await who.authenticate(request()) is None
        with pytest.raises(ServiceUnavailable):
            await who.authenticate(request(token="t"))
        reviews.broken = False
        assert await who.authenticate(request(token="t")) is not None

    loop.run(main)
