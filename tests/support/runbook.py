"""Somebody who does what the documents say, word by word."""

import asyncio
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app
from tests.support.documents import ROOT
from tests.support.projector import Projector
from tests.support.world import World


def section(document: str, heading: str) -> str:
    """What stands in a file of docs/ under a heading, up to the next one that is not below it."""
    text = (ROOT / "docs" / document).read_text()
    (found,) = re.findall(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,3}} |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found[1])


@dataclass(frozen=True)
class Operator:
    """Works where the service's settings are. `users` and `documents` of the documents are the world's own topics."""

    world: World
    settings: Mapping[str, str]

    async def does(self, document: str, heading: str, line: str, more: str = "", status: int = 0) -> str:
        """Run a command line that stands in that section, and what it says to add to it; what it prints."""
        text = " ".join(section(document, heading).replace("\\|", "|").split())
        for part in (line, more):
            assert part in text, f"docs/{document} has no {part!r} under {heading}"
        words = [self._ours(word) for word in shlex.split(f"{line} {more}")]
        assert words[0] == "projector"
        done = await asyncio.to_thread(CliRunner().invoke, app, words[1:], env=dict(self.settings))
        assert done.exit_code == status, f"{line}: {done.exit_code}\n{done.output}\n{done.exception}"
        return done.stdout

    def asks(self, document: str, heading: str, line: str, instance: Projector) -> int:
        """The status that an instance answers to a `curl` which stands in that section."""
        assert line in section(document, heading)
        found = re.fullmatch(r"curl http://INSTANCE:8080(/\S+)", line)
        assert found
        return instance.get(found[1])[0]

    def _ours(self, word: str) -> str:
        return re.sub(r"^(users|documents)(?=$|:)", lambda found: self.world.topics[found[1]], word)
