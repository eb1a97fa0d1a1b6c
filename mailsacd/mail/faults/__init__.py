"""Mail that fails on purpose, so that senders can be tested (docs/faults.md)."""
