"""Database URLs for the synchronous driver: libpq's words stay, the others go, and the default is as safe."""

import ssl

import pytest

from neon_projector.models.libpq import parse_for_libpq
from tests.unit.test_url import DIRECT, POOLED

ROOT = ssl.get_default_verify_paths().cafile
ROOTS = {"sslmode": "verify-full", "sslrootcert": ROOT}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (f"{DIRECT}?sslmode=require&channel_binding=require", {"sslmode": "require", "channel_binding": "require"}),
        (f"psql '{DIRECT}?sslmode=require'", {"sslmode": "require"}),
        (DIRECT, ROOTS),
        (f"{DIRECT}?sslrootcert=system", ROOTS),
        (f"{DIRECT}?sslrootcert=system&sslmode=require", ROOTS),
        (f"{DIRECT}?sslmode=verify-ca&sslrootcert={ROOT}", {"sslmode": "verify-ca", "sslrootcert": ROOT}),
        (f"{DIRECT}?sslmode=require&connection_limit=5&pool_timeout=10&pgbouncer=true", {"sslmode": "require"}),
        (
            f"{DIRECT}?sslmode=require&options=endpoint%3Dep-cool&application_name=crm&connect_timeout=7",
            {"sslmode": "require", "options": "endpoint=ep-cool", "application_name": "crm", "connect_timeout": "7"},
        ),
        (DIRECT.replace("ada:hunter2@", "") + "?user=ada&password=hunter2&sslmode=require", {"sslmode": "require"}),
        ("jdbc:" + DIRECT + "?sslmode=require", {"sslmode": "require"}),
    ],
)
def test_every_spelling_of_a_neon_url(text: str, query: dict[str, str]) -> None:
    address = parse_for_libpq(text)
    plain = address.url.set(query={}).render_as_string(hide_password=False)
    assert plain == DIRECT.replace("postgresql:", "postgresql+psycopg:")
    assert dict(address.url.query) == query


def test_a_pooler_is_known_by_its_host_or_by_prismas_word() -> None:
    assert parse_for_libpq(POOLED).pooled
    assert parse_for_libpq("postgresql://localhost:6432/x?pgbouncer=true").pooled
    assert not parse_for_libpq(DIRECT).pooled


def test_nearby_nothing_is_asked_for() -> None:
    assert dict(parse_for_libpq("postgresql://ada@localhost/x").url.query) == {}
    assert dict(parse_for_libpq("postgresql:///x?host=/run/postgresql").url.query) == {"host": "/run/postgresql"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("mysql://x/y", "only postgresql"), (f"{DIRECT}?nonsense=1", "not known"), ("postgresql://", "names no host")],
)
def test_what_the_service_refuses_is_refused_here(wrong: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_for_libpq(wrong)
