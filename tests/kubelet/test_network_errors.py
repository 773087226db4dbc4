import errno
import socket

import pytest

from pilothouse.kubelet.network_errors import dial_failure, endpoint


@pytest.mark.parametrize(
    ("host", "shown"), [("10.0.0.1", "10.0.0.1:80"), ("fd00::1", "[fd00::1]:80"), ("web", "web:80")]
)
def test_endpoints_read_as_go_joins_them(host: str, shown: str) -> None:
    assert endpoint(host, 80) == shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed"), "dial tcp 10.0.0.1:80: connect: connection refused"),
        (OSError(errno.EHOSTUNREACH, "x"), "dial tcp 10.0.0.1:80: connect: no route to host"),
        (OSError(errno.ETIMEDOUT, "x"), "dial tcp 10.0.0.1:80: connect: connection timed out"),
        (TimeoutError(), "dial tcp 10.0.0.1:80: i/o timeout"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dial tcp: lookup 10.0.0.1: no such host"),
        (OSError("Multiple exceptions"), "dial tcp 10.0.0.1:80: connect: Multiple exceptions"),
    ],
)
def test_a_failed_dial_reads_as_in_go(error: OSError, words: str) -> None:
    assert dial_failure(error, "10.0.0.1", 80) == words
