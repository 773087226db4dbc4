from fakes.etcd import etcd

__all__ = ["etcd"]
