"""Who the node is: the certificates that it shows to the API server and to its own clients, and how they stay good.

`bootstrap` gets the first one for a token, `store` keeps it, `rotation` has it renewed before it ends.
"""
