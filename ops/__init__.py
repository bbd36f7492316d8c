"""What operates the network: the `starai` command."""
