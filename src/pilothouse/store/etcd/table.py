"""The messages of etcd v3 as a table (see `net.message_table`): what the store sends and reads, and nothing else.

The numbers are facts of the interface (etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto). All are in one
package here, as only numbers travel. Where etcd has a `oneof`, one of the fields is set.
"""

MESSAGES = """
KeyValue key:bytes=1 create_revision:int64=2 mod_revision:int64=3 version:int64=4 value:bytes=5 lease:int64=6
Event type:EventType=1 kv:KeyValue=2 prev_kv:KeyValue=3
Header cluster_id:uint64=1 member_id:uint64=2 revision:int64=3 raft_term:uint64=4
RangeRequest key:bytes=1 range_end:bytes=2 limit:int64=3 revision:int64=4 serializable:bool=7 keys_only:bool=8
    count_only:bool=9
RangeResponse header:Header=1 kvs:KeyValue*=2 more:bool=3 count:int64=4
PutRequest key:bytes=1 value:bytes=2 lease:int64=3
DeleteRangeRequest key:bytes=1 range_end:bytes=2
Operation request_range:RangeRequest=1 request_put:PutRequest=2 request_delete_range:DeleteRangeRequest=3
Outcome response_range:RangeResponse=1
Compare result:CompareResult=1 target:CompareTarget=2 key:bytes=3 version:int64=4 mod_revision:int64=6
TxnRequest compare:Compare*=1 success:Operation*=2 failure:Operation*=3
TxnResponse header:Header=1 succeeded:bool=2 responses:Outcome*=3
CompactionRequest revision:int64=1 physical:bool=2
CompactionResponse header:Header=1
WatchCreateRequest key:bytes=1 range_end:bytes=2 start_revision:int64=3 prev_kv:bool=6
WatchRequest create_request:WatchCreateRequest=1
WatchResponse header:Header=1 watch_id:int64=2 created:bool=3 canceled:bool=4 compact_revision:int64=5 cancel_reason=6
    events:Event*=11
LeaseGrantRequest TTL:int64=1 ID:int64=2
LeaseGrantResponse header:Header=1 ID:int64=2 TTL:int64=3 error=4
"""

ENUMS = """
EventType PUT DELETE
CompareResult EQUAL GREATER LESS NOT_EQUAL
CompareTarget VERSION CREATE MOD VALUE LEASE
"""
"""Values count from 0 in the order written."""

DELETE = 1
"""EventType."""
VERSION, MOD = 0, 2
"""CompareTarget; the comparison is always for equality, which is 0."""

CALLS = {
    "Range": "/etcdserverpb.KV/Range",
    "Txn": "/etcdserverpb.KV/Txn",
    "Compact": "/etcdserverpb.KV/Compact",
    "LeaseGrant": "/etcdserverpb.Lease/LeaseGrant",
    "Watch": "/etcdserverpb.Watch/Watch",
}
"""The calls that are made."""
REQUESTS = {"Compact": "Compaction"}
"""The stem of a call's messages where it is not the call's name."""
