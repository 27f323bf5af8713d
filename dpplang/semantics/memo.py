"""Checking a text that changes."""


class Stopped(Exception):
    """Nobody waits for the answer any more."""
