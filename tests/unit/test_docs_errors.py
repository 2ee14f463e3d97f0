"""docs/errors.md is what the code goes by."""

from pathlib import Path

from neon_projector.consumer.cli.error_document import document

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"


def test_the_table_of_errors_is_the_codes_own() -> None:
    assert DOCUMENT.read_text() == document(), "make docs"
