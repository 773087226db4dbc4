"""The store on etcd v3: for control planes of several API servers."""
