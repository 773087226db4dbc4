"""Devices of the node, which plugins tell of and hand out: API deviceplugin v1beta1."""
