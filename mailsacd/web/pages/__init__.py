"""The pages, a module a topic."""
