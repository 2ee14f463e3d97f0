"""What a bad record says of its own version is read where that leaves no doubt."""

from typing import Any

import orjson
import pytest

from neon_projector.projections.contract.stated import stated_version


@pytest.mark.parametrize(
    ("version", "read"),
    [(7, 7), ("7", 7), (2**63 - 1, 2**63 - 1), (str(2**63 - 1), 2**63 - 1)]
    + [(bad, None) for bad in (0, "0", -1, "-1", 2**63, str(2**63), "9" * 5000, "", " 7", "7.0", "٧", 7.0, True, None)],
)
def test_a_version_is_a_number_also_in_quotes(version: Any, read: int | None) -> None:
    assert stated_version(orjson.dumps({"specversion": "1.0", "data": {"version": version}}), []) == read


def test_it_is_in_the_data_of_either_form() -> None:
    assert stated_version(b'{"version": "3"}', ["ce_id"]) == 3
    assert stated_version(b'{"version": "3"}', []) is None
    assert stated_version(b"no JSON", []) is None
