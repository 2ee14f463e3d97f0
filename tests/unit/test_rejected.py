"""A source in a log: who publishes, and nothing that a URI may have beside."""

import pytest

from consumer.rejected import said_source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "-"),
        ("", "-"),
        ("/shop", "/shop"),
        ("https://shop.example/orders", "https://shop.example/orders"),
        ("https://ada:lovelace@shop.example/orders?token=hunter2#x", "https://shop.example/orders"),
        ("//ada@shop.example", "//shop.example"),
        ("?token=hunter2", "-"),
        ("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
        ("shop\n\x1b[31m\N{SNOWMAN}", "shop??[31m?"),
        ("a" * 10_000, "a" * 100),
    ],
)
def test_a_source_is_said_without_what_it_may_carry(source: str | None, said: str) -> None:
    assert said_source(source) == said
