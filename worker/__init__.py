"""The device: what it found, what it consumes, what it runs."""
