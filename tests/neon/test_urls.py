"""Connection strings as people have them, through TLS to a real Postgres that asks for SCRAM."""

import asyncio
import logging
from urllib.parse import quote

import pytest

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from neon_projector.consumer.errors import FatalError
from tests.neon.asking import asked
from tests.support.certificates import Certificates
from tests.support.middle import one_in_the_middle
from tests.support.projector import command
from tests.support.secure_neon import NAMED, PASSWORD, UNNAMED, USER, SecureNeon


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+pg8000"],
)
async def test_every_spelling_of_the_scheme_with_a_password_full_of_signs(secure: SecureNeon, scheme: str) -> None:
    trusted = f"sslmode=require&channel_binding=require&sslrootcert={secure.authority}"
    assert await asked(secure.url(trusted, scheme=scheme)) == USER


@pytest.mark.parametrize("mode", ["allow", "prefer", "require"])
async def test_a_server_that_insists_on_tls_gets_it_without_looking_at_its_certificate(
    secure: SecureNeon, mode: str
) -> None:
    assert await asked(secure.url(f"sslmode={mode}", host=UNNAMED)) == USER


async def test_without_tls_such_a_server_is_no_place_to_wait_for(secure: SecureNeon) -> None:
    with pytest.raises(FatalError, match="sslmode"):
        await asked(secure.url("sslmode=disable"))


@pytest.mark.parametrize(
    ("mode", "host", "is_well"),
    [
        ("require", UNNAMED, True),
        ("verify-ca", NAMED, True),
        ("verify-ca", UNNAMED, True),
        ("verify-full", NAMED, True),
        ("verify-full", "[::1]", True),
        ("verify-full", UNNAMED, False),
    ],
)
async def test_verification_with_a_certificate_of_ones_own(
    secure: SecureNeon, mode: str, host: str, is_well: bool
) -> None:
    url = secure.url(f"sslmode={mode}&sslrootcert={secure.authority}", host=host)
    if is_well:
        assert await asked(url) == USER
    else:
        with pytest.raises(FatalError, match="certificate is not trusted"):
            await asked(url)


@pytest.mark.parametrize("query", ["", "sslmode=verify-ca", "sslmode=verify-full", "sslmode=verify-full&sslrootcert="])
async def test_the_systems_certificates_decide_also_for_a_remote_host_without_sslmode(
    secure: SecureNeon, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query += "system" if query.endswith("=") else ""
    with pytest.raises(FatalError, match="certificate is not trusted"):
        await asked(secure.url(query))
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.authority))  # OpenSSL takes it for the system's
    assert await asked(secure.url(query)) == USER


async def test_options_and_the_applications_name_reach_the_server(secure: SecureNeon) -> None:
    url = secure.url("sslmode=require&options=-c%20work_mem%3D5MB")
    assert await asked(url, "SHOW work_mem") == "5MB"
    assert await asked(url, "SHOW application_name") == "neon-projector"
    assert await asked(f"{url}&application_name=crm", "SHOW application_name") == "crm"


async def test_channel_binding_is_said_once(secure: SecureNeon, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await asked(secure.url(f"sslmode=require&channel_binding=require&sslrootcert={secure.authority}"))
    said = [record for record in caplog.records if "channel_binding" in record.getMessage()]
    assert [record.levelname for record in said] == ["INFO"]


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=require&channel_binding=require",
        "sslmode=prefer&channel_binding=require",
        "sslmode=require&sslrootcert=system",
        "",
        f"host={UNNAMED}",
    ],
)
@pytest.mark.parametrize("encrypts", [True, False], ids=["with TLS", "without"])
async def test_one_in_the_middle_who_asks_for_the_password_gets_none(
    certificates: Certificates, query: str, encrypts: bool
) -> None:
    async with one_in_the_middle(certificates if encrypts else None) as middle:
        front = "127.0.0.1" if query.startswith("host=") else NAMED
        with pytest.raises(FatalError, match=r"certificate is not trusted|does not encrypt"):
            await asked(f"postgresql://{USER}:hunter2@{front}:{middle.port}/postgres?{query}")
    assert middle.asked_for_it == 0
    assert b"hunter2" not in middle.got


async def test_one_in_the_middle_gets_the_password_of_those_who_do_not_verify(certificates: Certificates) -> None:
    """So the test above can fail."""
    async with one_in_the_middle(certificates) as middle:
        with pytest.raises(FatalError):
            await asked(f"postgresql://{USER}:hunter2@{NAMED}:{middle.port}/postgres?sslmode=require")
    assert b"hunter2" in middle.got


async def test_a_wrong_password_ends_the_command_and_is_shown_nowhere(secure: SecureNeon) -> None:
    url = secure.url("sslmode=require", password=PASSWORD + "hunter2")
    with pytest.raises(FatalError, match="refuses the user or password") as refused:
        await asked(url)
    assert "hunter2" not in f"{refused.value!r} {refused.value.__cause__!r}"
    done = await asyncio.to_thread(command, "migrate", settings={"NEON_DATABASE_URL": url})
    assert done.returncode == 3
    assert "hunter2" not in done.stdout + done.stderr
    assert "refuses the user or password of NEON_DATABASE_URL" in done.stderr.splitlines()[-1]


async def test_a_missing_password_is_no_reason_to_wait(secure: SecureNeon) -> None:
    with pytest.raises(FatalError, match="refuses the user or password"):
        await asked(secure.url("sslmode=require").replace(f":{quote(PASSWORD, safe='')}@", "@"))


async def test_a_server_without_tls_is_no_reason_to_wait(scram: EmbeddedPostgres) -> None:
    with pytest.raises(FatalError, match="the server does not encrypt: see sslmode"):
        await asked(f"{scram.url}?sslmode=require")


async def test_the_schema_is_migrated_over_tls(secure: SecureNeon) -> None:
    url = secure.url(f"sslmode=verify-full&sslrootcert={secure.authority}&channel_binding=require")
    done = await asyncio.to_thread(command, "migrate", settings={"NEON_DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    assert await asked(url, "SELECT count(*) FROM projector.alembic_version") == 1
