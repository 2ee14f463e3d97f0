"""Where the command `projector` begins. Its libraries are in the extra `service`; without them it says so."""

import gc
import sys

USAGE = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command as `consumer.cli` does; exit status 2 where a library is not installed, 130 on Ctrl-C."""
    gc.disable()
    try:
        from neon_projector.consumer.cli import main as command  # noqa: PLC0415  the libraries may not be there
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("neon_projector"):
            raise
        print(f"projector: {missing.name} is not installed: pip install 'neon-projector[service]'", file=sys.stderr)  # noqa: T201  the one line for the person
        sys.exit(USAGE)
    except KeyboardInterrupt:  # loading takes a second
        sys.exit(INTERRUPTED)
    gc.freeze()  # what is imported stays; to look for garbage in it took a third of a short command's time
    gc.enable()
    command()
