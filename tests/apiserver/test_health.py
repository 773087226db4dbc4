"""Health endpoints: words, details, exclusions, and a server on its way up and down."""

import pytest

from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.health import Health, Lifecycle
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response

WELL = Health({"store": lambda: ""}, {"shutdown": lambda: ""})
ILL = Health({"store": lambda: "the disk is full"}, {"shutdown": lambda: "going"})

UNKNOWN = """[+]ping ok
[+]store ok
warn: some health checks cannot be excluded: no matches for "a","b"
livez check passed
"""


def ask(health: Health, target: str) -> Response | None:
    request = Request("GET", target, {}, Peer(""))
    return health.answer(Exchange(request, parse_request_info("GET", target), 0.0, User("me")))


@pytest.mark.parametrize(
    ("health", "target", "status", "text"),
    [
        (WELL, "/livez", 200, "ok"),
        (WELL, "/healthz", 200, "ok"),
        (WELL, "/readyz", 200, "ok"),
        (WELL, "/livez?verbose", 200, "[+]ping ok\n[+]store ok\nlivez check passed\n"),
        (WELL, "/readyz?verbose=1", 200, "[+]ping ok\n[+]store ok\n[+]shutdown ok\nreadyz check passed\n"),
        (WELL, "/livez/store", 200, "ok"),
        (WELL, "/livez/ping", 200, "ok"),
        (WELL, "/livez?exclude=store&verbose", 200, "[+]ping ok\n[+]store excluded: ok\nlivez check passed\n"),
        (WELL, "/livez?exclude=b&exclude=a&verbose", 200, UNKNOWN),
        (WELL, "/livez?exclude=a", 200, "ok"),
        (ILL, "/livez", 500, "[+]ping ok\n[-]store failed: reason withheld\nlivez check failed\n"),
        (ILL, "/livez?exclude=store", 200, "ok"),
        (
            ILL, "/readyz?exclude=store", 500,
            "[+]ping ok\n[+]store excluded: ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n",
        ),
        (ILL, "/livez/store", 500, "internal server error: the disk is full\n"),
        (ILL, "/readyz/shutdown", 500, "internal server error: going\n"),
    ],
)  # fmt: skip
def test_answers(health: Health, target: str, status: int, text: str) -> None:
    response = ask(health, target)
    assert response is not None
    assert (response.status, response.body) == (status, text.encode())
    assert response.content_type == "text/plain; charset=utf-8"


@pytest.mark.parametrize("target", ["/livez/none", "/livez/shutdown", "/other"])
def test_what_is_no_check(target: str) -> None:
    assert ask(WELL, target) is None


def test_a_server_comes_and_goes() -> None:
    life = Lifecycle(("rbac/bootstrap-roles", "other"))
    health = Health(life.live(), life.ready())

    def status(target: str) -> int:
        response = ask(health, target)
        assert response is not None
        return response.status

    assert status("/livez") == 500
    assert status("/livez/poststarthook/other") == 500
    life.done("other")
    assert status("/livez/poststarthook/other") == 200
    assert status("/readyz") == 500
    life.done("rbac/bootstrap-roles")
    assert (status("/livez"), status("/readyz")) == (200, 200)
    life.ending = True
    assert (status("/livez"), status("/healthz"), status("/readyz")) == (200, 200, 500)
