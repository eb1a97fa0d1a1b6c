"""Loops, tasks and lanes of threads: whatever runs by itself. Nobody else starts work."""
