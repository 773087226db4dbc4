"""`grpc`: a server that answers SERVING by the gRPC health checking protocol is a success.

Protocol: grpc.health.v1, https://github.com/grpc/grpc/blob/master/doc/health-checking.md. Its two messages are made
here from their fields.
"""

from typing import Any, ClassVar

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.network_errors import endpoint
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, Target
from pilothouse.runtime.durations import go_duration

_SERVICE = "grpc.health.v1.Health"
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_OPTIONS = [
    ("grpc.primary_user_agent", "kube-probe/1.37"),
    ("grpc.enable_http_proxy", 0),
    # Each probe makes its own connection: one kept from before would hide that the server takes no new ones.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.enable_retries", 0),
]
_Field = descriptor_pb2.FieldDescriptorProto


class GrpcHandler(Handler):
    """Asks by gRPC."""

    field: ClassVar[str] = "grpc"

    async def ask(self, target: Target) -> Answer:
        """Connect, and call Check."""
        action = target.probe.grpc
        address, within = endpoint(target.address, action.port), go_duration(target.timeout)
        ends = self._means.clock.monotonic() + target.timeout
        async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
            try:
                async with self._means.clock.timeout(target.timeout):
                    await channel.channel_ready()
            except TimeoutError:
                why = f'timeout: failed to connect service "{address}" within {within}: context deadline exceeded'
                return Answer(Outcome.FAILURE, why)
            check: Any = channel.unary_unary(
                f"/{_SERVICE}/Check",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=_Answer.FromString,
            )
            try:
                answer = await check(
                    _Question(service=action.service), timeout=max(ends - self._means.clock.monotonic(), 0.001)
                )
            except grpc.aio.AioRpcError as error:
                return Answer(Outcome.FAILURE, _failure(error, within))
        return _judged(answer.status)


def _judged(status: int) -> Answer:
    if status == _STATUSES.index("SERVING"):
        return Answer(Outcome.SUCCESS, "service healthy")
    name = _STATUSES[status] if 0 <= status < len(_STATUSES) else str(status)
    return Answer(Outcome.FAILURE, f'service unhealthy (responded with "{name}")')


def _failure(error: grpc.aio.AioRpcError, within: str) -> str:
    details = error.details() or ""
    match error.code():
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"error: this server does not implement the grpc health protocol ({_SERVICE}): {details}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"timeout: health rpc did not complete within {within}"
    # Any gRPC error reads as those of the runtime do.
    return f"error: health rpc probe failed: {CriError(error.code().name, details)}"


def _messages() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="grpc/health/v1/health.proto", package="grpc.health.v1")
    file.syntax = "proto3"
    question = file.message_type.add(name="HealthCheckRequest")
    question.field.add(name="service", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    answer = file.message_type.add(name="HealthCheckResponse")
    # An enumeration on the wire; its names are ours to know.
    answer.field.add(name="status", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_INT32)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = [pool.FindMessageTypeByName(f"{file.package}.{one.name}") for one in (question, answer)]
    return message_factory.GetMessageClass(found[0]), message_factory.GetMessageClass(found[1])


_Question, _Answer = _messages()
