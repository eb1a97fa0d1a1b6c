"""What is known about a message beside its bytes: whether it comes from whom it says."""
