"""How long a task waits for another device when the one that ran it is lost."""
