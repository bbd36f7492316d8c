"""A whole network under random load and faults, and an account of every task at the end."""
