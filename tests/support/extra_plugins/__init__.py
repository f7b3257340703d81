"""One plugin of each kind, as a package of somebody else's brings them; see docs/extending.md."""
