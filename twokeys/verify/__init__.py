"""Doors, really tried: those that must open and those that must be shut."""
