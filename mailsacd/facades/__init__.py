"""The APIs of other test tools with a single mailbox, for programs that are written for these.

Each has a port of its own, which is off by default (docs/facades.md).
"""
