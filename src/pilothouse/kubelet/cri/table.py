"""The messages of CRI runtime.v1 as a table: name, then `field:type=number`.

A missing type means string; `*` after it means repeated; `map` is map<string, string>. Only what the kubelet sends or
reads is listed: protobuf skips unknown fields. The numbers are facts of the interface (cri-api, runtime/v1/api.proto).
"""

PACKAGE = "runtime.v1"

MESSAGES = """
VersionRequest version=1
VersionResponse version=1 runtime_name=2 runtime_version=3 runtime_api_version=4
DNSConfig servers:string*=1 searches:string*=2 options:string*=3
PortMapping protocol:Protocol=1 container_port:int32=2 host_port:int32=3 host_ip=4
Mount container_path=1 host_path=2 readonly:bool=3 selinux_relabel:bool=4 propagation:MountPropagation=5
    uidMappings:IDMapping*=6 gidMappings:IDMapping*=7 recursive_read_only:bool=8 image:ImageSpec=9 image_sub_path=10
IDMapping host_id:uint32=1 container_id:uint32=2 length:uint32=3
UserNamespace mode:NamespaceMode=1 uids:IDMapping*=2 gids:IDMapping*=3
NamespaceOption network:NamespaceMode=1 pid:NamespaceMode=2 ipc:NamespaceMode=3 target_id=4
    userns_options:UserNamespace=5
Int64Value value:int64=1
UInt64Value value:uint64=1
SecurityProfile profile_type:ProfileType=1 localhost_ref=2
SELinuxOption user=1 role=2 type=3 level=4
Capability add_capabilities:string*=1 drop_capabilities:string*=2 add_ambient_capabilities:string*=3
LinuxSandboxSecurityContext namespace_options:NamespaceOption=1 selinux_options:SELinuxOption=2 run_as_user:Int64Value=3
    readonly_rootfs:bool=4 supplemental_groups:int64*=5 privileged:bool=6 seccomp_profile_path=7
    run_as_group:Int64Value=8 seccomp:SecurityProfile=9 apparmor:SecurityProfile=10
    supplemental_groups_policy:SupplementalGroupsPolicy=11
LinuxPodSandboxConfig cgroup_parent=1 security_context:LinuxSandboxSecurityContext=2 sysctls:map=3
    overhead:LinuxContainerResources=4 resources:LinuxContainerResources=5
PodSandboxMetadata name=1 uid=2 namespace=3 attempt:uint32=4
PodSandboxConfig metadata:PodSandboxMetadata=1 hostname=2 log_directory=3 dns_config:DNSConfig=4
    port_mappings:PortMapping*=5 labels:map=6 annotations:map=7 linux:LinuxPodSandboxConfig=8
RunPodSandboxRequest config:PodSandboxConfig=1 runtime_handler=2
RunPodSandboxResponse pod_sandbox_id=1
StopPodSandboxRequest pod_sandbox_id=1
StopPodSandboxResponse
RemovePodSandboxRequest pod_sandbox_id=1
RemovePodSandboxResponse
PodSandboxStatusRequest pod_sandbox_id=1 verbose:bool=2
PodIP ip=1
PodSandboxNetworkStatus ip=1 additional_ips:PodIP*=2
Namespace options:NamespaceOption=2
LinuxPodSandboxStatus namespaces:Namespace=1
PodSandboxStatus id=1 metadata:PodSandboxMetadata=2 state:PodSandboxState=3 created_at:int64=4
    network:PodSandboxNetworkStatus=5 linux:LinuxPodSandboxStatus=6 labels:map=7 annotations:map=8 runtime_handler=9
PodSandboxStatusResponse status:PodSandboxStatus=1 info:map=2 containers_statuses:ContainerStatus*=3 timestamp:int64=4
PodSandboxStateValue state:PodSandboxState=1
PodSandboxFilter id=1 state:PodSandboxStateValue=2 label_selector:map=3
ListPodSandboxRequest filter:PodSandboxFilter=1
PodSandbox id=1 metadata:PodSandboxMetadata=2 state:PodSandboxState=3 created_at:int64=4 labels:map=5 annotations:map=6
    runtime_handler=7
ListPodSandboxResponse items:PodSandbox*=1
ImageSpec image=1 annotations:map=2 user_specified_image=18 runtime_handler=19 image_ref=20
KeyValue key=1 value=2
HugepageLimit page_size=1 limit:uint64=2
LinuxContainerResources cpu_period:int64=1 cpu_quota:int64=2 cpu_shares:int64=3 memory_limit_in_bytes:int64=4
    oom_score_adj:int64=5 cpuset_cpus=6 cpuset_mems=7 hugepage_limits:HugepageLimit*=8 unified:map=9
    memory_swap_limit_in_bytes:int64=10
LinuxContainerSecurityContext capabilities:Capability=1 privileged:bool=2 namespace_options:NamespaceOption=3
    selinux_options:SELinuxOption=4 run_as_user:Int64Value=5 run_as_username=6 readonly_rootfs:bool=7
    supplemental_groups:int64*=8 apparmor_profile=9 seccomp_profile_path=10 no_new_privs:bool=11
    run_as_group:Int64Value=12 masked_paths:string*=13 readonly_paths:string*=14 seccomp:SecurityProfile=15
    apparmor:SecurityProfile=16 supplemental_groups_policy:SupplementalGroupsPolicy=17
LinuxContainerConfig resources:LinuxContainerResources=1 security_context:LinuxContainerSecurityContext=2
ContainerMetadata name=1 attempt:uint32=2
Device container_path=1 host_path=2 permissions=3
CDIDevice name=1
ContainerConfig metadata:ContainerMetadata=1 image:ImageSpec=2 command:string*=3 args:string*=4 working_dir=5
    envs:KeyValue*=6 mounts:Mount*=7 devices:Device*=8 labels:map=9 annotations:map=10 log_path=11 stdin:bool=12
    stdin_once:bool=13 tty:bool=14 linux:LinuxContainerConfig=15 CDI_devices:CDIDevice*=17 stop_signal:Signal=18
CreateContainerRequest pod_sandbox_id=1 config:ContainerConfig=2 sandbox_config:PodSandboxConfig=3
CreateContainerResponse container_id=1
StartContainerRequest container_id=1
StartContainerResponse
StopContainerRequest container_id=1 timeout:int64=2
StopContainerResponse
RemoveContainerRequest container_id=1
RemoveContainerResponse
ContainerStateValue state:ContainerState=1
ContainerFilter id=1 state:ContainerStateValue=2 pod_sandbox_id=3 label_selector:map=4
ListContainersRequest filter:ContainerFilter=1
Container id=1 pod_sandbox_id=2 metadata:ContainerMetadata=3 image:ImageSpec=4 image_ref=5 state:ContainerState=6
    created_at:int64=7 labels:map=8 annotations:map=9 image_id=10
ListContainersResponse containers:Container*=1
ContainerStatusRequest container_id=1 verbose:bool=2
ContainerResources linux:LinuxContainerResources=1
LinuxContainerUser uid:int64=1 gid:int64=2 supplemental_groups:int64*=3
ContainerUser linux:LinuxContainerUser=1
ContainerStatus id=1 metadata:ContainerMetadata=2 state:ContainerState=3 created_at:int64=4 started_at:int64=5
    finished_at:int64=6 exit_code:int32=7 image:ImageSpec=8 image_ref=9 reason=10 message=11 labels:map=12
    annotations:map=13 mounts:Mount*=14 log_path=15 resources:ContainerResources=16 image_id=17 user:ContainerUser=18
    stop_signal:Signal=19
ContainerStatusResponse status:ContainerStatus=1 info:map=2
UpdateContainerResourcesRequest container_id=1 linux:LinuxContainerResources=2 annotations:map=4
UpdateContainerResourcesResponse
ExecSyncRequest container_id=1 cmd:string*=2 timeout:int64=3
ExecSyncResponse stdout:bytes=1 stderr:bytes=2 exit_code:int32=3
ExecRequest container_id=1 cmd:string*=2 tty:bool=3 stdin:bool=4 stdout:bool=5 stderr:bool=6
ExecResponse url=1
AttachRequest container_id=1 stdin:bool=2 tty:bool=3 stdout:bool=4 stderr:bool=5
AttachResponse url=1
PortForwardRequest pod_sandbox_id=1 port:int32*=2
PortForwardResponse url=1
ImageFilter image:ImageSpec=1
ListImagesRequest filter:ImageFilter=1
Image id=1 repo_tags:string*=2 repo_digests:string*=3 size:uint64=4 uid:Int64Value=5 username=6 spec:ImageSpec=7
    pinned:bool=8
ListImagesResponse images:Image*=1
ImageStatusRequest image:ImageSpec=1 verbose:bool=2
ImageStatusResponse image:Image=1 info:map=2
AuthConfig username=1 password=2 auth=3 server_address=4 identity_token=5 registry_token=6
PullImageRequest image:ImageSpec=1 auth:AuthConfig=2 sandbox_config:PodSandboxConfig=3
PullImageResponse image_ref=1
RemoveImageRequest image:ImageSpec=1
RemoveImageResponse
NetworkConfig pod_cidr=1
RuntimeConfig network_config:NetworkConfig=1
UpdateRuntimeConfigRequest runtime_config:RuntimeConfig=1
UpdateRuntimeConfigResponse
RuntimeCondition type=1 status:bool=2 reason=3 message=4
RuntimeStatus conditions:RuntimeCondition*=1
StatusRequest verbose:bool=1
RuntimeHandlerFeatures recursive_read_only_mounts:bool=1 user_namespaces:bool=2
RuntimeHandler name=1 features:RuntimeHandlerFeatures=2
RuntimeFeatures supplemental_groups_policy:bool=1 user_namespaces_host_network:bool=2
StatusResponse status:RuntimeStatus=1 info:map=2 runtime_handlers:RuntimeHandler*=3 features:RuntimeFeatures=4
ImageFsInfoRequest
FilesystemIdentifier mountpoint=1
FilesystemUsage timestamp:int64=1 fs_id:FilesystemIdentifier=2 used_bytes:UInt64Value=3 inodes_used:UInt64Value=4
ImageFsInfoResponse image_filesystems:FilesystemUsage*=1 container_filesystems:FilesystemUsage*=2
ContainerAttributes id=1 metadata:ContainerMetadata=2 labels:map=3 annotations:map=4
CpuUsage timestamp:int64=1 usage_core_nano_seconds:UInt64Value=2 usage_nano_cores:UInt64Value=3
MemoryUsage timestamp:int64=1 working_set_bytes:UInt64Value=2 available_bytes:UInt64Value=3 usage_bytes:UInt64Value=4
    rss_bytes:UInt64Value=5 page_faults:UInt64Value=6 major_page_faults:UInt64Value=7
SwapUsage timestamp:int64=1 swap_available_bytes:UInt64Value=2 swap_usage_bytes:UInt64Value=3
ContainerStats attributes:ContainerAttributes=1 cpu:CpuUsage=2 memory:MemoryUsage=3 writable_layer:FilesystemUsage=4
    swap:SwapUsage=5
ContainerStatsFilter id=1 pod_sandbox_id=2 label_selector:map=3
ListContainerStatsRequest filter:ContainerStatsFilter=1
ListContainerStatsResponse stats:ContainerStats*=1
PodSandboxAttributes id=1 metadata:PodSandboxMetadata=2 labels:map=3 annotations:map=4
NetworkInterfaceUsage name=1 rx_bytes:UInt64Value=2 rx_errors:UInt64Value=3 tx_bytes:UInt64Value=4
    tx_errors:UInt64Value=5
NetworkUsage timestamp:int64=1 default_interface:NetworkInterfaceUsage=2 interfaces:NetworkInterfaceUsage*=3
ProcessUsage timestamp:int64=1 process_count:UInt64Value=2
LinuxPodSandboxStats cpu:CpuUsage=1 memory:MemoryUsage=2 network:NetworkUsage=3 process:ProcessUsage=4
    containers:ContainerStats*=5
PodSandboxStats attributes:PodSandboxAttributes=1 linux:LinuxPodSandboxStats=2
PodSandboxStatsRequest pod_sandbox_id=1
PodSandboxStatsResponse stats:PodSandboxStats=1
UpdatePodSandboxResourcesRequest pod_sandbox_id=1 overhead:LinuxContainerResources=2
    resources:LinuxContainerResources=3
UpdatePodSandboxResourcesResponse
RuntimeConfigRequest
LinuxRuntimeConfiguration cgroup_driver:CgroupDriver=1
RuntimeConfigResponse linux:LinuxRuntimeConfiguration=1
CheckpointContainerRequest container_id=1 location=2 timeout:int64=3
CheckpointContainerResponse
ReopenContainerLogRequest container_id=1
ReopenContainerLogResponse
GetEventsRequest
ContainerEventResponse container_id=1 container_event_type:ContainerEventType=2 created_at:int64=3
    pod_sandbox_status:PodSandboxStatus=4 containers_statuses:ContainerStatus*=5
"""

ENUMS = """
Protocol TCP UDP SCTP
MountPropagation PROPAGATION_PRIVATE PROPAGATION_HOST_TO_CONTAINER PROPAGATION_BIDIRECTIONAL
NamespaceMode POD CONTAINER NODE TARGET
SupplementalGroupsPolicy Merge Strict
ProfileType RuntimeDefault Unconfined Localhost
PodSandboxState SANDBOX_READY SANDBOX_NOTREADY
ContainerState CONTAINER_CREATED CONTAINER_RUNNING CONTAINER_EXITED CONTAINER_UNKNOWN
ContainerEventType CONTAINER_CREATED_EVENT CONTAINER_STARTED_EVENT CONTAINER_STOPPED_EVENT CONTAINER_DELETED_EVENT
CgroupDriver SYSTEMD CGROUPFS
Signal RUNTIME_DEFAULT SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL
    SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU
    SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMIN SIGRTMINPLUS1 SIGRTMINPLUS2 SIGRTMINPLUS3
    SIGRTMINPLUS4 SIGRTMINPLUS5 SIGRTMINPLUS6 SIGRTMINPLUS7 SIGRTMINPLUS8 SIGRTMINPLUS9 SIGRTMINPLUS10 SIGRTMINPLUS11
    SIGRTMINPLUS12 SIGRTMINPLUS13 SIGRTMINPLUS14 SIGRTMINPLUS15 SIGRTMAXMINUS14 SIGRTMAXMINUS13 SIGRTMAXMINUS12
    SIGRTMAXMINUS11 SIGRTMAXMINUS10 SIGRTMAXMINUS9 SIGRTMAXMINUS8 SIGRTMAXMINUS7 SIGRTMAXMINUS6 SIGRTMAXMINUS5
    SIGRTMAXMINUS4 SIGRTMAXMINUS3 SIGRTMAXMINUS2 SIGRTMAXMINUS1 SIGRTMAX
"""
"""Values count from 0 in the order written."""

IMAGE_CALLS = frozenset({"ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo"})
"""Calls of ImageService; all others belong to RuntimeService."""
