"""Where the command begins."""

import subprocess
import sys

BEGIN = """
import gc, sys
from neon_projector.consumer.entry import main
sys.argv = ["projector", "--version"]
try:
    main()
except SystemExit:
    print(gc.isenabled(), gc.get_freeze_count() > 0.9 * len(gc.get_objects()))
"""


def test_no_garbage_is_looked_for_in_what_is_imported() -> None:
    told = subprocess.run([sys.executable, "-c", BEGIN], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "True True"
