"""Models on this device: catalogue, store, engines. No broker, no database."""
