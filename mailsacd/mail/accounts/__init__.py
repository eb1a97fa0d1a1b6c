"""Accounts: how they prove who they are, what they may have, their team and keys."""
