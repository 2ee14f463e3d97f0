"""What is running: the package's version, and the revision it was built from."""

import os
from importlib.metadata import version as package_version


def version() -> str:
    return package_version("neon-projector")


def revision() -> str:
    """The commit, where the build says it in `PROJECTOR_REVISION`; else `unknown`."""
    return os.environ.get("PROJECTOR_REVISION", "unknown")
