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


INTERRUPTED = """
import sys, types
cut_short = types.ModuleType("neon_projector.consumer.cli")
def interrupted(name):
    raise KeyboardInterrupt
cut_short.__getattr__ = interrupted
sys.modules[cut_short.__name__] = cut_short
from neon_projector.consumer.entry import main
main()
"""


def test_ctrl_c_while_the_libraries_are_loaded_is_no_bug() -> None:
    told = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=60)
    assert (told.returncode, told.stdout, told.stderr) == (130, "", "")
