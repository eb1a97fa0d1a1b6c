"""All SQL, and the pool that runs it."""
