"""A section that is measured by itself is put in alone, and stays when the rest is measured again."""

from bench.curve import HEADING, RESULTS, section
from bench.sections import section_of, with_section

OLD = "# Measured\n\n## Drain\n\na table\n\n## Verify and rebuild\n\nold\n\n## Freshness\n\nanother\n"
NEW = "## Verify and rebuild\n\nnew\n"


def test_a_section_is_replaced_in_its_place_and_nothing_else_changes() -> None:
    assert with_section(OLD, NEW) == OLD.replace("old", "new")


def test_a_section_that_is_not_there_yet_comes_at_the_end_and_is_found_again() -> None:
    without = OLD.replace("## Verify and rebuild\n\nold\n\n", "")
    document = with_section(without, NEW)
    assert document == f"{without}\n{NEW}"
    assert section_of(document, "## Verify and rebuild") == NEW
    assert with_section(document, NEW.replace("new", "newer")) == f"{without}\n{NEW.replace('new', 'newer')}"


def test_without_a_section_the_rest_is_as_it_was() -> None:
    assert section_of(OLD, "## Rebuild") == ""
    assert with_section(OLD, "") == OLD


def test_what_make_bench_keeps_is_the_section_that_make_bench_curve_writes() -> None:
    written = with_section(RESULTS.read_text(), section([]))
    assert section_of(written, HEADING).strip() == section([]).strip()
