from pilothouse.net.message_table import message_classes, rows

MESSAGES = """
Inner text=1 kind:Kind=2
Outer inner:Inner=1 many:Inner*=2 size:int64=3 raw:bytes*=4
    labels:map=7
"""
ENUMS = """
Kind FIRST SECOND
"""


def test_an_indented_line_continues_the_one_before() -> None:
    assert [(name, len(cells)) for name, cells in rows(MESSAGES)] == [("Inner", 2), ("Outer", 5)]


def test_messages_are_written_as_their_table_says() -> None:
    outer = message_classes("example", MESSAGES, ENUMS)["Outer"]
    made = outer(inner={"text": "a", "kind": 1}, many=[{}, {"text": "b"}], size=-1, raw=[b"\0"], labels={"k": "v"})
    assert (
        made.SerializeToString()
        == (
            b"\x0a\x05\x0a\x01a\x10\x01"  # field 1: text "a", kind 1
            b"\x12\x00\x12\x03\x0a\x01b"  # field 2 twice
            b"\x18" + b"\xff" * 9 + b"\x01"  # field 3: -1
            b"\x22\x01\x00"  # field 4
            b"\x3a\x06\x0a\x01k\x12\x01v"  # field 7
        )
    )
    assert outer.FromString(made.SerializeToString()) == made


def test_a_table_may_be_used_twice() -> None:
    assert message_classes("example", MESSAGES, ENUMS).keys() == message_classes("example", MESSAGES, ENUMS).keys()
