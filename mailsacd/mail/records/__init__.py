"""What happened, counted and written down beside the mail."""
