"""Serves the components to programs of other projects and languages: `pulumi package add`."""

import sys
from pathlib import Path

from pulumi.provider.experimental import component_provider_host

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.cross_account_access import CrossAccountAccess
from components.other_stack import OtherStack

if __name__ == "__main__":
    component_provider_host(name="twokeys", components=[CrossAccountAccess, OtherStack])
