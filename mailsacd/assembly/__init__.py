"""The one place that builds the daemon's long-lived objects, in start order.

A part is what is built, started and ended together; `daemon` puts the parts together.
"""
