import hpack.huffman
import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.net.hpack_huffman import HuffmanError, decode

ENCODER = hpack.huffman.HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@given(st.binary(max_size=600))
def test_every_text_is_read_back(text: bytes) -> None:
    assert decode(ENCODER.encode(text)) == text


@given(st.binary(max_size=40))
def test_whatever_comes_is_read_as_the_library_reads_it(data: bytes) -> None:
    try:
        expected = decode_huffman(data)
    except hpack.HPACKDecodingError:
        with pytest.raises(HuffmanError):
            decode(data)
    else:
        assert decode(data) == expected


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x00\xff\xff", b"\x18", b"\xff"])
def test_ends_that_are_none(data: bytes) -> None:
    with pytest.raises(HuffmanError):
        decode(data)
