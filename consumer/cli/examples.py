"""The examples at the end of each command's `--help`. A test runs each of them through the parser."""

PROGRAM = "projector"
AN_ID = "7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11"
"""An entity's id, for examples."""


def examples(*lines: str) -> str:
    """The `epilog` of a command: each line is one call of it, without the program's name."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n\n".join([title, *(f"{PROGRAM} {line}" for line in lines)])
