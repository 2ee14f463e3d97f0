"""docs/settings.md lists every setting that the code has, with the code's own default, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from neon_projector.consumer.settings import Settings
from neon_projector.consumer.version import revision
from neon_projector.projections.registry import REGISTRY

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
NOT_SET = "—"
ROW = re.compile(r"\| `(?P<name>[A-Z][A-Z0-9_]+)` \| `?(?P<default>[^`|]+?)`? \| (?P<unit>[^|]+) \| (?P<meaning>.+) \|")


def documented() -> list[re.Match[str]]:
    """The rows of the tables of settings."""
    return [row for line in DOCUMENT.read_text().splitlines() if (row := ROW.fullmatch(line))]


def defaults() -> dict[str, str]:
    """By variable, the default as the document writes it."""
    fields = {name.upper(): shown(field) for name, field in Settings.model_fields.items() if name != "topics"}
    return fields | {projection.topic_setting: projection.default_topic for projection in REGISTRY}


def shown(field: FieldInfo) -> str:
    return "required" if field.is_required() else as_text(field.default)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return NOT_SET if value in (None, "") else str(value)


def test_every_setting_is_documented_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROJECTOR_REVISION", raising=False)
    expected = defaults() | {"PROJECTOR_REVISION": revision()}
    assert {row["name"]: row["default"] for row in documented()} == expected


def test_no_setting_is_documented_twice() -> None:
    names = [row["name"] for row in documented()]
    assert len(names) == len(set(names))


def test_every_setting_says_its_unit_and_what_it_means() -> None:
    assert [row["name"] for row in documented() if not row["unit"].strip() or not row["meaning"].strip()] == []


def test_no_row_of_a_table_of_settings_is_overlooked() -> None:
    """A row that is written otherwise than the pattern expects would not be compared."""
    names = set(re.findall(r"(?m)^\| `([A-Z][A-Z0-9_]+)`", DOCUMENT.read_text()))
    assert names == {row["name"] for row in documented()}
