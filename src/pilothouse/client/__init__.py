"""Clients of the API server: transport, typed client, reflectors and informers, events, leader election."""
