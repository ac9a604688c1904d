"""Serves the policy pack to the engine."""

from twokeys.pack.serving import serve

serve()
