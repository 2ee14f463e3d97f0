"""Docker's command line, and what every step of `make containers` says and expects."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

PROJECT = "neon-projector-check"


class Failed(Exception):
    """Something does not hold; the message says what."""


def containers() -> list[dict[str, Any]]:
    return [json.loads(line) for line in compose("ps", "--all", "--format", "json").splitlines()]


def compose(*arguments: str, check: bool = True) -> str:
    return run("docker", "compose", *arguments, check=check)


def projector(*arguments: str) -> str:
    """A command of an operator, in the running container."""
    return compose("exec", "--no-TTY", "projector", "projector", *arguments)


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    must(done.returncode == 0 or not check, f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def got(service: str, port: int, path: str) -> tuple[str, str]:
    """What a service answers on the port that this machine has for it: the type and the text."""
    url = f"http://{compose('port', service, str(port)).strip()}/{path}"
    try:
        with urlopen(url, timeout=10) as answer:
            return answer.headers.get_content_type(), answer.read().decode()
    except HTTPError as error:
        raise Failed(f"{service}: /{path}: {error}") from None


def eventually(what: str, check: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        must(time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}")
        time.sleep(0.25)


def must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


def tell(text: str) -> None:
    print(text, flush=True)
