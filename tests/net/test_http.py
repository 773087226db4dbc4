import pytest

from pilothouse.net.http import Peer


@pytest.mark.parametrize(
    ("address", "host"), [("10.0.0.1:4711", "10.0.0.1"), ("[2001:db8::1]:80", "2001:db8::1"), ("", "")]
)
def test_the_host_of_a_peer(address: str, host: str) -> None:
    assert Peer(address).host == host
