"""The health cycle: how each device is, what follows from it, and that no innocent is punished."""
