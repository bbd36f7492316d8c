"""Texts through the network, against the same model in process."""
