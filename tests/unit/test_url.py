"""Database URLs as people have them: as copied from Neon's console, of a server at home, and wrong ones."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from neon_projector.models.engine import create_engine
from neon_projector.models.settings import DatabaseSettings
from neon_projector.models.url import parse_database_url

POOLED = "postgresql://ada:hunter2@ep-cool-dawn-123-pooler.eu-central-1.aws.neon.tech/neondb"
DIRECT = "postgresql://ada:hunter2@ep-cool-dawn-123.eu-central-1.aws.neon.tech/neondb"


@pytest.mark.parametrize(
    "text",
    [
        f"{DIRECT}?sslmode=require",
        f"{DIRECT}?sslmode=require&channel_binding=prefer",
        f"  {DIRECT}?sslmode=require\n",
        DIRECT.replace("postgresql:", "postgres:") + "?sslmode=require",
        DIRECT.replace("postgresql:", "postgresql+asyncpg:") + "?sslmode=require",
        DIRECT.replace("postgresql:", "postgresql+psycopg:") + "?sslmode=require",
        f"psql '{DIRECT}?sslmode=require&channel_binding=disable'",
        f'"{DIRECT}?sslmode=require"',
        DIRECT.replace("ada:hunter2@", "") + "?user=ada&password=hunter2&sslmode=require",
        "jdbc:" + DIRECT.replace("ada:hunter2@", "") + "?user=ada&password=hunter2&sslmode=require",
        f"{DIRECT}?sslmode=require&connection_limit=5&pool_timeout=10",
    ],
)
def test_every_spelling_of_a_neon_url(text: str) -> None:
    address = parse_database_url(text)
    assert address.url.render_as_string(hide_password=False) == DIRECT.replace("postgresql:", "postgresql+asyncpg:")
    assert (address.connect_args, address.pooled) == ({"ssl": "require"}, False)


def test_an_endpoint_in_the_options_reaches_the_server() -> None:
    address = parse_database_url(f"{DIRECT}?options=endpoint%3Dep-cool-dawn-123&sslmode=require")
    assert address.connect_args["server_settings"] == {"options": "endpoint=ep-cool-dawn-123"}


def test_other_words_of_libpq_are_translated() -> None:
    address = parse_database_url(f"{DIRECT}?application_name=crm&connect_timeout=7&target_session_attrs=read-write")
    assert address.connect_args["server_settings"] == {"application_name": "crm"}
    assert address.connect_args["timeout"] == 7
    assert dict(address.url.query) == {"target_session_attrs": "read-write"}


def test_behind_a_pooler_no_prepared_statement_is_kept() -> None:
    address = parse_database_url(POOLED)
    assert address.pooled
    assert address.connect_args["statement_cache_size"] == address.connect_args["prepared_statement_cache_size"] == 0


def test_a_pooler_under_another_name_is_told_as_prisma_does_it() -> None:
    address = parse_database_url("postgresql://localhost:6432/x?pgbouncer=true")
    assert address.pooled
    assert not parse_database_url("postgresql://localhost:6432/x?pgbouncer=false").pooled


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("postgresql://ada:p%40ss%3A%2F%3F%23@host/x", "p@ss:/?#"),
        ("postgresql://ada:a+b@host/x", "a+b"),
        ("postgresql://host/x?user=ada&password=a+b%26c", "a+b&c"),
    ],
)
def test_passwords_are_percent_encoded_and_a_plus_is_a_plus(text: str, password: str) -> None:
    assert parse_database_url(text).url.password == password


def test_an_ipv6_address_and_a_port() -> None:
    url = parse_database_url("postgresql://ada@[2001:db8::1]:6543/x").url
    assert (url.host, url.port) == ("2001:db8::1", 6543)


def is_verified(text: str) -> bool:
    """Whether the server must have a trusted certificate that names it."""
    context = parse_database_url(text).connect_args["ssl"]
    verified = isinstance(context, ssl.SSLContext) and context.verify_mode is ssl.CERT_REQUIRED
    return verified and context.check_hostname


@pytest.mark.parametrize("mode", ["", "sslmode=require&", "sslmode=prefer&", "sslmode=allow&", "sslmode=verify-ca&"])
@pytest.mark.parametrize("wanted", ["channel_binding=require", "sslrootcert=system"])
@pytest.mark.parametrize("at", [DIRECT, POOLED, "postgresql://ada:hunter2@localhost/x"])
def test_a_server_that_can_not_be_bound_is_verified(at: str, wanted: str, mode: str) -> None:
    assert is_verified(f"{at}?{mode}{wanted}")
    said = parse_database_url(f"{at}?{mode}{wanted}").remarks
    assert len(said) == (wanted == "channel_binding=require")


@pytest.mark.parametrize("wanted", ["prefer", "disable"])
def test_channel_binding_that_is_not_required_changes_nothing(wanted: str) -> None:
    address = parse_database_url(f"{DIRECT}?sslmode=require&channel_binding={wanted}")
    assert (address.connect_args, address.remarks) == ({"ssl": "require"}, ())


@pytest.mark.parametrize("name", ["PGCHANNELBINDING", "PGSSLMODE"])
def test_what_libpq_takes_from_the_environment_is_not_less(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, {"PGCHANNELBINDING": "require", "PGSSLMODE": "verify-full"}[name])
    assert is_verified("postgresql://ada@localhost/x")


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("postgresql://ada:p@localhost/x?host=db.example.com", True),
        ("postgresql://ada:p@localhost/x?host=db.example.com:5433", True),
        ("postgresql://ada:p@/x?host=localhost,db.example.com", True),
        ("postgresql://ada:p@db.example.com/x?host=localhost", False),
        ("postgresql://ada:p@/x?host=localhost:5433", False),
        ("postgresql://ada:p@/x?host=localhost,127.0.0.1", False),
    ],
)
def test_the_host_that_is_connected_to_decides_about_encryption(text: str, remote: bool) -> None:
    assert is_verified(text) == remote
    url = parse_database_url(text).url
    host = str(url.query.get("host", url.host))
    assert ("example" in host) == remote


def test_certificates_where_libpq_looks_for_them_make_require_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("no certificate")
    with pytest.raises(ValueError, match="sslrootcert"):
        parse_database_url(f"{DIRECT}?sslmode=require")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("disable", False), ("allow", "allow"), ("prefer", "prefer"), ("require", "require")],
)
def test_sslmode_is_asyncpgs_ssl(mode: str, expected: Any) -> None:
    assert parse_database_url(f"{DIRECT}?sslmode={mode}").connect_args["ssl"] == expected


@pytest.mark.parametrize(
    ("mode", "hostname"), [("?sslmode=verify-ca", False), ("?sslmode=verify-full", True), ("", True)]
)
def test_a_remote_server_is_verified_unless_told_otherwise(mode: str, hostname: bool) -> None:
    context = parse_database_url(DIRECT + mode).connect_args["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, hostname)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://localhost/x",
        "postgresql://u@127.0.0.1:5433/x",
        "postgresql://[::1]/x",
        "postgresql:///x?host=/run",
    ],
)
def test_a_local_server_needs_no_encryption(text: str) -> None:
    assert parse_database_url(text).connect_args == {"ssl": "prefer"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hunter2", "is not a database URL"),
        ("", "is not a database URL"),
        ("postgresql://ada:hunter2@host:port/x", "is not a database URL"),
        ("mysql://ada:hunter2@host/x", "names the database 'mysql'"),
        ("postgresql://ada:hunter2@/x", "names no host"),
        ("postgresql://ada:hunter2@host", "names no database"),
        (f"{DIRECT}?sslmode=hunter2", "has an unknown sslmode"),
        (f"{DIRECT}?sslmode=verify-full&sslrootcert=/hunter2.pem", "has an sslrootcert that can't be read"),
        (f"{DIRECT}?hunter2=1", "has a parameter that is not known"),
        (f"{DIRECT}?target_session_attrs=hunter2", "has unknown target_session_attrs"),
        (f"{DIRECT}?sslmode=disable&channel_binding=require", "sslmode=disable"),
        (f"{DIRECT}?channel_binding=hunter2", "has an unknown channel_binding"),
        (f"{DIRECT}?sslnegotiation=hunter2", "has an unknown sslnegotiation"),
        (f"{DIRECT}?sslmode=prefer&sslnegotiation=direct", "needs sslmode=require"),
    ],
)
def test_a_wrong_url_is_refused_and_not_shown(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        parse_database_url(text)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("text", [DIRECT, "postgresql://localhost/x?user=ada&password=hunter2"])
def test_nothing_shows_the_password(text: str) -> None:
    settings = DatabaseSettings(neon_database_url=SecretStr(text))
    engine = create_engine(settings)
    for thing in (settings, settings.address, settings.address.url, engine, engine.url):
        assert "hunter2" not in f"{thing} {thing!r}"


def settings(url: str, direct: str | None = None) -> DatabaseSettings:
    secret = None if direct is None else SecretStr(direct)
    return DatabaseSettings(neon_database_url=SecretStr(url), neon_direct_database_url=secret)


def test_the_direct_address_is_the_pooled_one_without_the_pooler() -> None:
    assert settings(POOLED).direct_address.url == parse_database_url(DIRECT).url
    assert not settings(POOLED).direct_address.pooled
    assert settings(DIRECT).direct_address.url == parse_database_url(DIRECT).url


@pytest.mark.parametrize(
    "pooled",
    [
        f"{POOLED}?options=endpoint%3Dep-cool-dawn-123-pooler",
        POOLED.replace("hunter2", "endpoint%3Dep-cool-dawn-123-pooler%3Bhunter2"),
        "postgresql://ep-cool-dawn-123-pooler.eu-central-1.aws.neon.tech/neondb?user=ada&password=hunter2",
        "postgresql:///neondb?host=ep-cool-dawn-123-pooler.eu-central-1.aws.neon.tech&user=ada&password=hunter2",
        f"{POOLED}?pgbouncer=true",
    ],
    ids=["options", "password", "no credentials", "host as a parameter", "as Prisma has it"],
)
def test_the_direct_address_names_the_pooler_nowhere(pooled: str) -> None:
    direct = settings(pooled).direct_address
    assert not direct.pooled
    assert "pooler" not in direct.url.render_as_string(hide_password=False) + str(direct.connect_args)
    assert direct.url == parse_database_url(pooled.replace("-pooler", "")).url


def test_the_direct_address_may_be_given() -> None:
    both = settings(POOLED, "postgresql://localhost/x")
    assert both.direct_address.url.host == "localhost"


def test_a_root_certificate_of_ones_own_is_read(tmp_path: Path) -> None:
    empty = tmp_path / "root.pem"
    empty.write_text("no certificate")
    with pytest.raises(ValueError, match="sslrootcert"):
        parse_database_url(f"{DIRECT}?sslmode=verify-ca&sslrootcert={empty}")
