"""No password survives in what is kept, however it is written, and no text keeps the service busy."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.dead_letter import mask

HUNTER = "hunter2"
SECRETS = ("password",)
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "text",
    [
        b"password: one, hunter2",
        b"{b'password': b'one, hunter2'}",
        b'{"password": one}hunter2',
        b"<password>one,hunter2</password>",
        b"<password>one&amp;hunter2</password>",
        b'<password type="plain">hunter2</password>',
        b"<password><![CDATA[<hunter2>]]></password>",
        b"user[password]=hunter2&user[name]=Ada",
        b"password_confirmation=hunter2&name=Ada",
        "{“password”: “one, hunter2”}".encode(),
        b'{"password": "\xff\xfe hunter2", "name": "Ada"}',
    ],
)
def test_a_password_is_masked_to_its_end(text: bytes) -> None:
    masked = mask(text, SECRETS)
    assert HUNTER.encode() not in masked
    assert b"***" in masked


@pytest.mark.parametrize("name", ["password_confirmation", "passwordHash", "password ", "old-password", "PASSWORD"])
def test_a_field_that_has_the_name_in_its_own_is_masked(name: str) -> None:
    assert json.loads(mask(json.dumps({name: HUNTER, "name": "Ada"}).encode(), SECRETS)) == {name: "***", "name": "Ada"}


def test_the_name_as_a_value_hides_nothing() -> None:
    text = b'{"field": "password", "name": "Ada"'
    assert mask(text, SECRETS) == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_base64_in_a_wide_encoding_is_masked_as_well(encoding: str) -> None:
    text = '{"data_base64": "aHVudGVyMg=="}'
    assert "aHVudGVyMg" not in mask(text.encode(encoding), SECRETS).replace(b"\0", b"").decode()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        rb"\u" + b"\\" * MEGABYTE,
        b'{"password' + b"\\" * MEGABYTE,
        b'password: "' + b"\\" * MEGABYTE,
        b"password" * (MEGABYTE // 8),
        b"password " * (MEGABYTE // 9),
        b"password" + b" " * MEGABYTE,
        b"password:" + b"\n" * MEGABYTE,
        b"password" + b":" * MEGABYTE + b"\n",
        b"password:&" * (MEGABYTE // 10),
        b'password:"' * (MEGABYTE // 10),
        b"password: " + b"&a" * (MEGABYTE // 2),
        b"{'password': " + b"\\'" * (MEGABYTE // 2),
    ],
    ids=lambda text: repr(text[:14]),
)
def test_no_text_takes_longer_than_its_length_allows(text: bytes) -> None:
    assert len(mask(text, SECRETS)) <= len(text) * 2


def spelled(text: str, letters: set[int]) -> str:
    """`text`, some of its letters as JSON may escape them."""
    return "".join(f"\\u{ord(c):04x}" if i in letters and c.isalnum() else c for i, c in enumerate(text))


documents = st.recursive(
    st.builds(
        lambda before, after: {"a": 1, "password": before + HUNTER + after}, *[st.text("\\\"',:{}é a", max_size=4)] * 2
    ),
    lambda inner: (
        inner.map(lambda one: {"name": "Ada", "data": one}) | inner.map(lambda one: [one]) | inner.map(json.dumps)
    ),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(document=documents, ascii_only=st.booleans(), letters=st.sets(st.integers(0, 60)), data=st.data())
def test_wherever_json_is_cut_its_password_is_masked(
    document: Any, ascii_only: bool, letters: set[int], data: st.DataObject
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only).encode()
    cut = data.draw(st.integers(1, len(text)))
    assert HUNTER.encode() not in mask(text[:cut], SECRETS)
    plain = json.dumps({"password": HUNTER, "x": document}).replace("password", spelled("password", letters))
    assert HUNTER.encode() not in mask(plain.encode()[:cut], SECRETS)
