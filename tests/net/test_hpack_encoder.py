import hpack
import pytest

from pilothouse.net import hpack_encoder


def _read(block: bytes) -> list[tuple[bytes, bytes]]:
    decoder = hpack.Decoder(max_header_list_size=1 << 20)
    decoder.max_allowed_table_size = 0
    return [(bytes(name), bytes(value)) for name, value in decoder.decode(hpack_encoder.NO_TABLE + block, raw=True)]


@pytest.mark.parametrize("number", [100, 200, 204, 304, 404, 409, 500, 503])
def test_statuses(number: int) -> None:
    assert _read(hpack_encoder.status(number)) == [(b":status", b"%d" % number)]


@pytest.mark.parametrize(
    "name", [b"content-type", b"date", b"www-authenticate", b"audit-id", b"accept-charset", b"x" * 300]
)
@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 20_000])
def test_fields(name: bytes, size: int) -> None:
    value = b"v" * size
    assert _read(hpack_encoder.name(name) + hpack_encoder.string(value)) == [(name, value)]
