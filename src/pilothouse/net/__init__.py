"""The wire: HTTP/1.1 front door, upgrades, WebSocket and SPDY channels, TLS, certificates."""
