"""The messages of csi.v1 that a node sends and reads, as a table (see `net/message_table.py`).

The numbers are facts of the interface (container-storage-interface/spec, csi.proto).
"""

PACKAGE = "csi.v1"

MESSAGES = """
Topology segments:map=1
NodeGetInfoRequest
NodeGetInfoResponse node_id=1 max_volumes_per_node:int64=2 accessible_topology:Topology=3
NodeServiceRpc type:Rpc=1
NodeServiceCapability rpc:NodeServiceRpc=1
NodeGetCapabilitiesRequest
NodeGetCapabilitiesResponse capabilities:NodeServiceCapability*=1
BlockVolume
MountVolume fs_type=1 mount_flags:string*=2 volume_mount_group=3
AccessMode mode:Mode=1
VolumeCapability block:BlockVolume=1 mount:MountVolume=2 access_mode:AccessMode=3
NodeStageVolumeRequest volume_id=1 publish_context:map=2 staging_target_path=3 volume_capability:VolumeCapability=4
    secrets:map=5 volume_context:map=6
NodeStageVolumeResponse
NodeUnstageVolumeRequest volume_id=1 staging_target_path=2
NodeUnstageVolumeResponse
NodePublishVolumeRequest volume_id=1 publish_context:map=2 staging_target_path=3 target_path=4
    volume_capability:VolumeCapability=5 readonly:bool=6 secrets:map=7 volume_context:map=8
NodePublishVolumeResponse
NodeUnpublishVolumeRequest volume_id=1 target_path=2
NodeUnpublishVolumeResponse
NodeGetVolumeStatsRequest volume_id=1 volume_path=2 staging_target_path=3
VolumeUsage available:int64=1 total:int64=2 used:int64=3 unit:Unit=4
VolumeCondition abnormal:bool=1 message=2
NodeGetVolumeStatsResponse usage:VolumeUsage*=1 volume_condition:VolumeCondition=2
CapacityRange required_bytes:int64=1 limit_bytes:int64=2
NodeExpandVolumeRequest volume_id=1 volume_path=2 capacity_range:CapacityRange=3 staging_target_path=4
    volume_capability:VolumeCapability=5 secrets:map=6
NodeExpandVolumeResponse capacity_bytes:int64=1
"""

ENUMS = """
Rpc UNKNOWN STAGE_UNSTAGE_VOLUME GET_VOLUME_STATS EXPAND_VOLUME VOLUME_CONDITION SINGLE_NODE_MULTI_WRITER
    VOLUME_MOUNT_GROUP
Mode UNKNOWN SINGLE_NODE_WRITER SINGLE_NODE_READER_ONLY MULTI_NODE_READER_ONLY MULTI_NODE_SINGLE_WRITER
    MULTI_NODE_MULTI_WRITER SINGLE_NODE_SINGLE_WRITER SINGLE_NODE_MULTI_WRITER
Unit UNKNOWN BYTES INODES
"""
"""Values count from 0 in the order written."""
