"""Pages in a real browser, one for all of them: a fixture of a package needs there to be one."""
