"""Load generators and peers: how fast the daemon is beside others on the same machine.

Each program is `python -m bench.NAME`, takes any server's host and port, and prints what it did,
the figures and their ratio. `python -m bench` runs all of them. Nothing here is imported by the
daemon, and no test measures time.
"""
