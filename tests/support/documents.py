"""The project's documents, and what stands in them between backticks."""

import re
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(chain(ROOT.glob("*.md"), ROOT.glob("docs/*.md"), ROOT.glob("bench/*.md")))
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
"""As the test's own id says it: `docs/design.md`."""

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`( \(planned\))?")
"""What stands between backticks, and whether it is marked as planned."""
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
FILE = re.compile(r"\.(?:py|md|yml|toml|lock|sql|svg|json|mako)$")


def prose(document: Path) -> str:
    """The text without what stands in fences."""
    return FENCE.sub("", document.read_text())


def spans(text: str) -> list[str]:
    """What stands between backticks and is not planned, each on one line."""
    return [" ".join(code.split()) for code, planned in SPAN.findall(text) if not planned]


def is_path(code: str) -> bool:
    """Whether it names a file or a folder of ours; `list/show` and `application/json` are neither."""
    if FILE.search(code):
        return bool(PATH.fullmatch(code))
    first, slash, _ = code.partition("/")
    return bool(slash and PATH.fullmatch(code)) and any(first in Path(path).parts[:-1] for path in tree())


def blocks(text: str, language: str) -> list[str]:
    """What stands in the fences of this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@cache
def tree() -> frozenset[str]:
    """All files that git keeps or would keep, and their folders, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    here = {file for file in files if (ROOT / file).exists()}
    return frozenset(here | {str(folder) for file in here for folder in Path(file).parents} - {"."})


def sources() -> dict[str, str]:
    """By path, the text of each file that is no document."""
    found = (ROOT / path for path in tree() if not path.endswith((".md", ".svg")))
    return {str(path.relative_to(ROOT)): path.read_text(errors="replace") for path in found if path.is_file()}


def section(heading: str) -> str:
    """What stands in docs/design.md under a heading, up to the next one of any kind."""
    design = (ROOT / "docs" / "design.md").read_text()
    (found,) = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", design, re.MULTILINE | re.DOTALL)
    return str(found)


def names_of_rows(text: str) -> list[str]:
    """All that stands between backticks in the first cells of a section's tables, in order of the alphabet."""
    cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return sorted(name for cell in cells for name in re.findall(r"`([^`]+)`", cell))


def metrics_of_the_design() -> list[str]:
    """The names of all metrics in docs/design.md, section 8, in order of the alphabet."""
    rows = names_of_rows(section("8. HTTP sidecar and metrics"))
    return [name for name in rows if name.startswith("projector_")]
