"""What people say here themselves: notes, replies and groups, as activities of a source of our own."""
