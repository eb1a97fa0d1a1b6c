"""Use cases: what the daemon does, whoever asks for it."""
