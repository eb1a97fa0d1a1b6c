"""The tests, by the packages that they are of."""
