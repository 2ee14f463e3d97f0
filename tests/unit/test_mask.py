"""No password survives in what is kept, however it is written, and no text keeps the service busy."""

import base64
import bz2
import gzip
import json
import lzma
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.mask import MASK, mask

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


@pytest.mark.parametrize(
    "text",
    [
        b'[{"name":"password","value":"hunter2"}]',
        b'[{"value":"hunter2","name":"password"}]',
        b'["password","hunter2"]',
        b'{"columns":["id","password"],"rows":[[1,"hunter2"]]}',
        b'{"text":"password: hunter2","name":"Ada"}',
        b'{"query":"a=1&password=hunter2"}',
        b'{"value":"hunter2","note":"the p%61ssword"}',
        b'{"a":1}\n{"password":"hunter2"}',
        b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x--',
        b"password: |\n  hunter2\n  more\nname: Ada",
        b"password:\n  - hunter2",
        b'password = """\nhunter2\n"""',
        b"[password]\nvalue=hunter2",
        b"id,password\r\n1,hunter2\r\n",
        b"<f><name>password</name><value>hunter2</value></f>",
        b'<f value="hunter2" name="password"/>',
        b"&#112;assword: hunter2",
        b"p=61ssword=3D: hunter2",
        b"a=hunter2&field=password",
        b"https://x/?user=a&password=hunter2",
        b"a=1;password=hunter2",
        b"\x82\xa8password\xa7hunter2\xa4name\xa3Ada",
        b"\x0cpassword\x0ehunter2",
        b"hunter2 is the password",
    ],
)
def test_where_it_is_not_sure_what_belongs_to_it_all_is_masked(text: bytes) -> None:
    assert mask(text, SECRETS) == MASK
    assert (
        mask(text.replace(b"password", b"nickname").replace(b"p%61", b"x").replace(b"p=61", b"x"), SECRETS) != MASK
        or b"&#" in text
    )


@pytest.mark.parametrize("before", ["", "x", "xy"])
@pytest.mark.parametrize("name", ["password", "Password", "PASSWORD"])
def test_in_base64_it_is_found_wherever_it_begins(before: str, name: str) -> None:
    inner = base64.b64encode(f'{before}{{"{name}":"hunter2"}}'.encode()).decode()
    assert mask(json.dumps({"payload": inner}).encode(), SECRETS) == MASK


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_compressed_is_masked(pack: Callable[[bytes], bytes]) -> None:
    assert mask(pack(b'{"password": "hunter2"}'), SECRETS) == MASK


def test_what_is_masked_is_replaced_in_its_place() -> None:
    text = (
        b'{ "e":"\\u00e9 caf\\u00E9", "n" : 123456789012345678901234567890.10e5 ,"a":1, "password" : [{"x":"]"}, 1], '
        b'"inner":"{\\"Password\\":1}","data_base64":"e30="  }'
    )
    assert mask(text, SECRETS) == (
        b'{ "e":"\\u00e9 caf\\u00E9", "n" : 123456789012345678901234567890.10e5 ,"a":1, "password" : "***", '
        b'"inner":"***","data_base64":"***"  }'
    )
    assert mask(b"a=%C3%A9&user[password]=x=&b", SECRETS) == MASK
    assert mask(b"a=%C3%A9&user[password]=x=&b=", SECRETS) == b'a=%C3%A9&user[password]="***"&b='


@given(text=st.binary(max_size=80))
def test_where_nothing_is_masked_nothing_is_rewritten(text: bytes) -> None:
    assert mask(text, SECRETS) in (text, MASK)


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
        b'["password","' + b'","' * 80_000 + b'"]',
        b"[" + b'"","\\u0070",' * 20_000 + b'{"password":1}]',
        b'{"a":' * 900 + b'{"password":[' + b"1," * 100_000 + b"1]}" + b"}" * 900,
        b"&".join([b"a=b"] * 60_000) + b"&password=1",
        b"\\u005c" * (MEGABYTE // 6),
        b"%25" * (MEGABYTE // 3),
        b"&#0" * (MEGABYTE // 3),
    ],
    ids=lambda text: repr(text[:14]),
)
def test_no_text_takes_longer_than_its_length_allows(text: bytes) -> None:
    began = time.process_time()
    assert len(mask(text, SECRETS)) <= len(text) * 2
    assert time.process_time() - began < 1.0, "0.2 s on an idle machine"


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
