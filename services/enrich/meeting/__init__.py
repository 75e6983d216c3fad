"""People who might meet, how people are tied, groups on the same work, and what rises. Pure: no I/O, no wall clock."""
