import pytest

from pilothouse.net.channels import PROTOCOLS, STDIN, STDOUT, ChannelError, ChannelProtocol, choose_protocol
from pilothouse.net.websocket import Message

BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v5.channel.k8s.io", Message(b"\1hi")),
        ("v4.channel.k8s.io", Message(b"\1hi")),
        ("channel.k8s.io", Message(b"\1hi")),
        ("", Message(b"\1hi")),
        ("base64.channel.k8s.io", Message(b"1aGk=", text=True)),
        ("v4.base64.channel.k8s.io", Message(b"1aGk=", text=True)),
    ],
)
def test_messages_are_led_by_their_channel(name: str, message: Message) -> None:
    assert BY_NAME[name].encode(STDOUT, b"hi") == message
    assert BY_NAME[name].decode(message) == (STDOUT, b"hi")


def test_only_version_5_closes_channels() -> None:
    five, four = BY_NAME["v5.channel.k8s.io"], BY_NAME["v4.channel.k8s.io"]
    assert five.encode_close(STDIN) == Message(b"\xff\0")
    assert five.decode(Message(b"\xff\0")) == (STDIN, None)
    assert four.decode(Message(b"\xff\0")) == (255, b"\0")
    with pytest.raises(ChannelError):
        four.encode_close(STDIN)


@pytest.mark.parametrize(
    ("protocol", "data"),
    [("v5.channel.k8s.io", b""), ("v5.channel.k8s.io", b"\xff"), ("base64.channel.k8s.io", b"0%%%")],
)
def test_bad_messages(protocol: str, data: bytes) -> None:
    with pytest.raises(ChannelError):
        BY_NAME[protocol].decode(Message(data))


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["v5.channel.k8s.io", "v4.channel.k8s.io"], "v5.channel.k8s.io"),
        (["x", "v4.channel.k8s.io"], "v4.channel.k8s.io"),
        ([], ""),
        (["x"], None),
    ],
)
def test_the_first_known_protocol_is_chosen(offered: list[str], chosen: str | None) -> None:
    found: ChannelProtocol | None = choose_protocol(offered)
    assert (found.name if found is not None else None) == chosen
