"""Every file, test, setting, metric, class and make target that a document names is in the tree."""

import re
from pathlib import Path

import pytest

from tests.support.documents import FENCE, FILE, NAMES, ROOT, is_path, prose, sources, spans, tree

TREE = tree()
SOURCES = sources()
CODE = "\n".join(SOURCES.values()).lower()
TESTS = {path: set(re.findall(r"def test_(\w+)", text)) for path, text in SOURCES.items() if path.startswith("tests/")}
ALL_TESTS = set[str]().union(*TESTS.values())
PACKAGES = (ROOT / "ARCHITECTURE.md").read_text().partition("\n## The packages")[2].partition("\n## ")[0]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def files(name: str) -> set[str]:
    """The files or folders that this may mean: `retry.py` and `apply/retry.py` are `consumer/apply/retry.py`."""
    plain = name.rstrip("/")
    return {path for path in TREE if path == plain or path.endswith(f"/{plain}")}


def missing_tests(line: str) -> list[str]:
    """The tests in a row of testing.md's tables that do not exist. A name belongs to a file of the same row."""
    row, at, wrong = [code for code in spans(line) if FILE.search(code)], ALL_TESTS, list[str]()
    of_row = set[str]().union(*(TESTS[path] for name in row for path in files(name)))
    for code in spans(line):
        name, _, case = code.removesuffix("]").partition("[")
        if FILE.search(code):
            at = set[str]().union(*(TESTS[path] for path in files(code)))
        elif re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", name) and (name not in at | of_row or case.lower() not in CODE):
            wrong.append(code)
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_every_path_is_one_of_the_tree(name: str) -> None:
    assert [code for code in spans(prose(ROOT / name)) if is_path(code) and not files(code)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_path_in_a_picture_is_one_of_the_tree(name: str) -> None:
    pictures = [found[0] for found in FENCE.finditer((ROOT / name).read_text()) if found[0].startswith("```mermaid")]
    named = [path for picture in pictures for path in re.findall(r"[\w/]+\.py|\b[a-z]+/(?=[\s:<\"])", picture)]
    assert [path for path in named if not files(path)] == []


def test_a_file_that_architecture_names_is_in_the_package_it_tells_of() -> None:
    package = ""
    for paragraph in PACKAGES.split("\n\n"):
        package = "" if paragraph.startswith(("#", "**`")) else package
        for code in re.findall(r"`([^`]+)`", paragraph):
            package = code if f"**`{code}`**" in paragraph and code.endswith("/") else package
            if package and FILE.search(code) and "/" not in code:
                assert any(path.endswith(f"{package}{code}") for path in TREE), f"{package}{code}"


def test_architecture_names_every_package_of_ours() -> None:
    packages = {str(Path(path).parent) for path in TREE if path.endswith("/__init__.py")}
    ours = {path for path in packages if path.startswith(("consumer", "projections", "models", "migrations"))}
    named = {path for code in spans(prose(ROOT / "ARCHITECTURE.md")) for path in files(code)}
    headings = set(re.findall(r"^### ([\w/]+)/", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    assert {path for path in ours - named - headings if path.count("/") <= 1} == set()


def test_testing_names_every_folder_of_tests() -> None:
    named = {path for code in spans(prose(ROOT / "docs" / "testing.md")) for path in files(code)}
    assert {path for path in TREE if path.startswith("tests/") and path.count("/") == 1 and "." not in path} <= named


@pytest.mark.parametrize("name", NAMES)
def test_every_test_is_there(name: str) -> None:
    named = [code.removeprefix("test_") for code in spans(prose(ROOT / name)) if re.fullmatch(r"test_[a-z0-9_]+", code)]
    assert [code for code in named if code not in ALL_TESTS] == []


def test_every_test_of_a_table_is_in_a_file_of_its_row() -> None:
    rows = [line for line in (ROOT / "docs" / "testing.md").read_text().splitlines() if line.startswith("| ")]
    assert [code for line in rows for code in missing_tests(line)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_member_of_a_class_is_there(name: str) -> None:
    for code in spans(prose(ROOT / name)):
        if found := re.fullmatch(r"([A-Z]\w+)\.(\w+)", code):
            homes = [text for text in SOURCES.values() if re.search(rf"^class {found[1]}\b", text, re.MULTILINE)]
            assert any(re.search(rf"\b{found[2]}\b", text) for text in homes), f"{name}: {code}"


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_metric_and_table_is_there(name: str) -> None:
    for code in spans(prose(ROOT / name)):
        if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|projector_[a-z_]+[a-z]", code):
            assert code.lower().removesuffix("_total") in CODE, f"{name}: {code}"


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_is_there(name: str) -> None:
    named = re.findall(r"\bmake ([a-z-]+)`", prose(ROOT / name))
    assert [target for target in named if target not in TARGETS] == []


def test_every_module_that_the_code_names_is_there() -> None:
    wrong = list[str]()
    for path, text in SOURCES.items():
        for name in re.findall(r"`(?:neon_projector\.)?((?:consumer|projections|models|bench|tests)(?:\.\w+)+)`", text):
            module = name.replace(".", "/")
            homes = (f"{module}.py", f"{module}/__init__.py", f"{Path(module).parent!s}.py")
            wrong += [] if any(home in TREE for home in homes) else [f"{path}: {name}"]
        wrong += [f"{path}: {name}" for name in re.findall(r"`([\w./-]+\.(?:py|md))`", text) if not files(name)]
    assert wrong == []


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ("| fault | `unit/test_fuse.py`: `halves_of_a_batch_are_batches_of_their_own` | |", []),
        ("| fault | `unit/test_fuse.py`: `no_test_has_such_a_name` | |", ["no_test_has_such_a_name"]),
        ("| fault | `unit/test_lag.py`: `halves_of_a_batch_are_batches_of_their_own` | |",
         ["halves_of_a_batch_are_batches_of_their_own"]),
    ],
)  # fmt: skip
def test_a_test_that_is_missing_is_found(row: str, missing: list[str]) -> None:
    assert missing_tests(row) == missing
