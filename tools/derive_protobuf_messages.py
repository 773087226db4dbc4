"""Derives the protobuf messages of the API from the clients that speak them.

    python tools/derive_protobuf_messages.py KUBECTL... > src/pilothouse/api/data/protobuf_messages.tsv

A Go program carries a description of its types: names, fields, tags, and whether a field is a pointer. The structs of
the API in a kubectl (ELF, 64 bit, at a fixed address, as they are released) say everything that the wire needs; of
several programs the last has the say. What is younger than the youngest program stands below, with its source: LATER
from objects that exist in JSON and in protobuf, SAME from the rule that a version which graduates keeps its numbers.
"""

import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

BOOL, INT32, INT64, UINT8, FLOAT64, MAP, POINTER, SLICE, STRING, STRUCT = 1, 5, 6, 8, 14, 21, 22, 23, 24, 25
UNCOMMON, EXTRA_STAR, NAMED = 1, 2, 4
SCALARS = {BOOL: "bool", INT32: "int32", INT64: "int64", FLOAT64: "double", STRING: "string"}
SPECIAL = {
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "time",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "microTime",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intOrString",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "raw",
}
PACKAGES = ("k8s.io/api/", "k8s.io/apimachinery/pkg/apis/meta/v1.")
Row = tuple[int, str, str, str]
"""Number, JSON name, presence, type, as the table has them."""
Messages = dict[str, dict[int, Row]]

SAME = {
    "certificates.v1": ("certificates.v1beta1", r"(ClusterTrustBundle|PodCertificateRequest)"),
    "admissionregistration.v1": (
        "admissionregistration.v1beta1", r"(Mutating(AdmissionPolicy)|ApplyConfiguration|JSONPatch|Mutation$)",
    ),
    "storagemigration.v1": ("storagemigration.v1beta1", ""),
    "resource.v1beta2": ("resource.v1alpha3", r"DeviceTaint(Rule|Selector)"),
    "resource.v1": ("resource.v1beta2", r"DeviceTaint(Rule|Selector)"),
}  # fmt: skip
"""Versions whose messages, where they are missing, are those of another."""

LATER = """
certificates.v1beta1.PodCertificateRequestSpec 12 stubPKCS10Request pointer bytes
core.v1.PodSpec 43 schedulingGroup pointer core.v1.PodSchedulingGroup
core.v1.PodSchedulingGroup 1 podGroupName pointer string
core.v1.PodStatus 21 nodeAllocatableResourceClaimStatuses repeated core.v1.NodeAllocatableResourceClaimStatus
core.v1.NodeAllocatableResourceClaimStatus 1 resourceClaimName value+ string
core.v1.NodeAllocatableResourceClaimStatus 2 containers repeated string
core.v1.ResourceHealth 6 message pointer string
core.v1.VolumeMountStatus 5 volumeStatus pointer core.v1.VolumeStatus
core.v1.VolumeStatus 1 image pointer core.v1.ImageVolumeStatus
core.v1.ImageVolumeStatus 1 imageRef value+ string
meta.v1.ListMeta 5 shardInfo pointer meta.v1.ShardInfo
meta.v1.ShardInfo 1 selector value+ string
meta.v1.ListOptions 15 shardSelector value string
resource.v1.DeviceAttribute 6 ints repeated int64
resource.v1.DeviceAttribute 7 bools repeated bool
resource.v1.DeviceAttribute 8 strings repeated string
resource.v1.DeviceAttribute 9 versions repeated string
resource.v1beta1.DeviceAttribute 6 ints repeated int64
resource.v1beta1.DeviceAttribute 7 bools repeated bool
resource.v1beta1.DeviceAttribute 8 strings repeated string
resource.v1beta1.DeviceAttribute 9 versions repeated string
resource.v1beta2.DeviceAttribute 6 ints repeated int64
resource.v1beta2.DeviceAttribute 7 bools repeated bool
resource.v1beta2.DeviceAttribute 8 strings repeated string
resource.v1beta2.DeviceAttribute 9 versions repeated string
resource.v1alpha3.ResourcePoolStatusRequest 1 metadata value+ meta.v1.ObjectMeta
resource.v1alpha3.ResourcePoolStatusRequest 2 spec value+ resource.v1alpha3.ResourcePoolStatusRequestSpec
resource.v1alpha3.ResourcePoolStatusRequest 3 status pointer resource.v1alpha3.ResourcePoolStatusRequestStatus
resource.v1alpha3.ResourcePoolStatusRequestSpec 1 driver value+ string
resource.v1alpha3.ResourcePoolStatusRequestSpec 2 poolName pointer string
resource.v1alpha3.ResourcePoolStatusRequestSpec 3 limit pointer int32
resource.v1alpha3.ResourcePoolStatusRequestStatus 2 pools repeated resource.v1alpha3.PoolStatus
resource.v1alpha3.ResourcePoolStatusRequestStatus 3 conditions repeated meta.v1.Condition
resource.v1alpha3.ResourcePoolStatusRequestStatus 6 poolCount pointer int32
resource.v1alpha3.PoolStatus 1 driver value+ string
resource.v1alpha3.PoolStatus 2 poolName value+ string
resource.v1alpha3.PoolStatus 3 nodeName pointer string
resource.v1alpha3.PoolStatus 4 totalDevices pointer int32
resource.v1alpha3.PoolStatus 5 allocatedDevices pointer int32
resource.v1alpha3.PoolStatus 6 availableDevices pointer int32
resource.v1alpha3.PoolStatus 7 unavailableDevices pointer int32
resource.v1alpha3.PoolStatus 8 resourceSliceCount pointer int32
resource.v1alpha3.PoolStatus 9 generation value+ int64
resource.v1alpha3.PoolStatus 10 validationError pointer string
storage.v1.CSIDriverSpec 11 preventPodSchedulingIfMissing pointer bool
storage.v1beta1.CSIDriverSpec 11 preventPodSchedulingIfMissing pointer bool
storage.v1.CSINode 3 status value+ storage.v1.CSINodeStatus
storage.v1.CSINodeStatus
storage.v1beta1.CSINode 3 status value+ storage.v1beta1.CSINodeStatus
storage.v1beta1.CSINodeStatus
"""
"""Numbers as in the objects; that there is a pointer where the objects do not tell is *assumed*."""


class Program:
    """The type descriptions of a Go program."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        (start,) = struct.unpack_from("<Q", self.data, 0x28)
        _, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, start + 64 * index) for index in range(count)]
        strings = sections[names][4]
        by_name = {self._c_string(strings + one[0]): one for one in sections}
        self.base, self.offset = by_name[".rodata"][3:5]
        self.links = by_name[".typelink"][4:6]

    def structs(self) -> Iterator[int]:
        """Where each struct is described that can be reached from the program's list of types."""
        seen: set[int] = set()
        start, size = self.links
        ahead = [self.base + struct.unpack_from("<i", self.data, start + at)[0] for at in range(0, size, 4)]
        while ahead:
            at = ahead.pop()
            if at in seen:
                continue
            seen.add(at)
            kind = self.kind(at)
            if kind in (POINTER, SLICE):
                ahead.append(self.word(at + 48))
            elif kind == MAP:
                ahead.append(self.word(at + 56))
            elif kind == STRUCT:
                ahead += [inner for _, _, inner in self.fields(at)]
                yield at

    def kind(self, at: int) -> int:
        """What sort of type is described at a place."""
        return self.data[at - self.base + self.offset + 23] & 31

    def word(self, at: int) -> int:
        """Eight bytes as a number."""
        found: int = struct.unpack_from("<Q", self.data, at - self.base + self.offset)[0]
        return found

    def fields(self, at: int) -> Iterator[tuple[str, str, int]]:
        """Name, tag and type of each field of a struct."""
        first, count = self.word(at + 56), self.word(at + 64)
        for index in range(count):
            name, tag = self._name(self.word(first + 24 * index))
            yield name, tag, self.word(first + 24 * index + 8)

    def type_name(self, at: int) -> str:
        """How Go names a type: `k8s.io/api/core/v1.Pod`, `*string`, `[]...`, `map:...`."""
        kind = self.kind(at)
        if kind == STRUCT:
            return self._package(at) + "." + self._short(at).rpartition(".")[2]
        if kind == POINTER:
            return "*" + self.type_name(self.word(at + 48))
        if kind == SLICE:
            inner = self.word(at + 48)
            prefix = "list:" if self._flags(at) & NAMED else "[]"
            return "bytes" if self.kind(inner) == UINT8 else prefix + self.type_name(inner)
        if kind == MAP:
            return "map:" + self.type_name(self.word(at + 56))
        return SCALARS.get(kind, "")

    def _flags(self, at: int) -> int:
        return self.data[at - self.base + self.offset + 20]

    def _package(self, at: int) -> str:
        if not self._flags(at) & UNCOMMON:
            return ""
        where = at - self.base + self.offset
        (name,) = struct.unpack_from("<i", self.data, where + 80)
        return self._name(self.base + name)[0] if name else ""

    def _short(self, at: int) -> str:
        where = at - self.base + self.offset
        name = self._name(self.base + struct.unpack_from("<i", self.data, where + 40)[0])[0]
        return name[1:] if self._flags(at) & EXTRA_STAR else name

    def _name(self, at: int) -> tuple[str, str]:
        where = at - self.base + self.offset
        name, after = self._text(where + 1)
        return name, self._text(after)[0] if self.data[where] & 2 else ""

    def _text(self, where: int) -> tuple[str, int]:
        size = shift = 0
        while True:
            byte = self.data[where]
            where += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return self.data[where : where + size].decode("utf-8", "replace"), where + size

    def _c_string(self, at: int) -> str:
        return self.data[at : self.data.index(b"\0", at)].decode()


def short(name: str) -> str:
    """`core.v1.Pod` of `k8s.io/api/core/v1.Pod`; the word of the table for a type that has one."""
    if name in SPECIAL or "/" not in name:
        return SPECIAL.get(name, name)
    package, _, struct_name = name.rpartition(".")
    return ".".join([*package.split("/")[-2:], struct_name])


def rows_of(program: Program, at: int) -> dict[int, Row]:
    """The fields of a struct that are on the wire, by number."""
    found: dict[int, Row] = {}
    for _, tag, inner in program.fields(at):
        on_wire, in_json = re.search(r'protobuf:"([^"]+,[^"]*)"', tag), re.search(r'json:"([^"]*)"', tag)
        if on_wire and in_json:
            options = on_wire[1].split(",")
            row = row_of(int(options[1]), in_json[1].split(","), program.type_name(inner))
            found[row[0]] = row
    return found


def row_of(number: int, in_json: list[str], kind: str) -> Row:
    """One field. A list type with a name of its own is a message that holds the list."""
    name, *options = in_json
    if "inline" in options:
        return number, "-", "inline", short(kind.lstrip("*"))
    if kind.startswith("*"):
        return number, name, "pointer", short(kind[1:])
    shown = "" if "omitempty" in options or "omitzero" in options else "+"
    if kind.startswith("map:"):
        return number, name, f"map{shown}", short(kind[4:]).replace("list:", "[]")
    if kind.startswith("[]"):
        return number, name, f"repeated{shown}", short(kind[2:])
    if kind.startswith("list:"):
        return number, name, "pointer", f"[]{short(kind[5:])}"
    if kind == "bytes":
        return number, name, "pointer", kind
    if "/" in kind and "omitzero" not in options:
        shown = "+"  # to omitempty, no struct is empty
    return number, name, f"value{shown}", short(kind)


def is_plain_list(rows: dict[int, Row], name: str) -> bool:
    """Whether a message is the list that every kind has; the reader of the table knows those."""
    return name.endswith("List") and sorted(row[1] for row in rows.values()) == ["items", "metadata"]


def add_later(total: Messages) -> None:
    """What no program knows yet."""
    for line in LATER.strip().splitlines():
        name, *row = line.split()
        rows = total.setdefault(name, {})
        if row:
            rows[int(row[0])] = (int(row[0]), row[1], row[2], row[3])
    for version, (like, pattern) in SAME.items():
        for name in [
            name for name in total if name.startswith(f"{like}.") and re.match(pattern, name[len(like) + 1 :])
        ]:
            copied = {
                number: (number, field, presence, kind.replace(f"{like}.", f"{version}."))
                for number, (_, field, presence, kind) in total[name].items()
            }
            total.setdefault(name.replace(like, version), copied)


def main(paths: list[str]) -> None:
    """Print the table."""
    total: Messages = {}
    for path in paths:
        program = Program(Path(path))
        for at in program.structs():
            name = program.type_name(at)
            if name.startswith(PACKAGES) and name not in SPECIAL:
                rows = rows_of(program, at)
                if not is_plain_list(rows, name):
                    total[short(name)] = rows
    add_later(total)
    blocks = ["\n".join([name, *lines_of(total[name])]) for name in sorted(total)]
    print("\n\n".join(blocks))


def lines_of(rows: dict[int, Row]) -> list[str]:
    """The lines of the table for one message."""
    return ["\t".join(map(str, rows[number])) for number in sorted(rows)]


main(sys.argv[1:])
