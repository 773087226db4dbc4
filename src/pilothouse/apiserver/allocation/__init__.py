"""Allocation: what Services get from pools, cluster IPs and node ports.

What is taken is not kept anywhere of its own: it is what the Services in the watch cache say, and what writes under way
have reserved. So nothing leaks and nothing needs repair after a crash.
"""
