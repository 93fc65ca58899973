"""Ports held in memory; tests/contracts keeps them as honest as the real ones."""
