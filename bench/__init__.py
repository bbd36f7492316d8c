"""Benchmarks: what the network costs, and how well it places tasks. ``make bench`` runs them all."""
