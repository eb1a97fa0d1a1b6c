"""Load tests: mail for a domain is counted for a while, at full speed, and not kept."""
