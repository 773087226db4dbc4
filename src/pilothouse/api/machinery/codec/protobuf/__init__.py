"""Protobuf: how client-go's typed clients, controllers and kubectl from 1.32 on speak of built-in kinds.

A body is the prefix `k8s` and a zero byte, then runtime.Unknown: apiVersion, kind and the bytes of the message. The
object is the same as in JSON; which field is which number, and whether Go has a pointer there, is data (`table`).
`reader` turns a message into the object, `writer` an object into a message. A watch is a frame an event, each with
its length in front. Source: apimachinery/pkg/runtime/serializer/protobuf.
"""

from pilothouse.api.machinery.codec.protobuf.envelope import (
    decode,
    decode_list,
    encode,
    list_of,
    sealed,
    watch_event,
)
from pilothouse.api.machinery.codec.protobuf.table import message_of
from pilothouse.api.machinery.codec.protobuf.writer import message

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
STREAM_TYPE = f"{MEDIA_TYPE};stream=watch"

__all__ = [
    "MEDIA_TYPE",
    "STREAM_TYPE",
    "decode",
    "decode_list",
    "encode",
    "list_of",
    "message",
    "message_of",
    "sealed",
    "watch_event",
]
