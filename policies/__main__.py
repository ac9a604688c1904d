"""Serves the policy pack to the engine, and does nothing else: `PolicyPack` blocks until the engine is done."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.pack import NAME, policies

if __name__ == "__main__":
    PolicyPack(NAME, policies())
