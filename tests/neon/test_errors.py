"""The words of Neon's proxy and of PgBouncer, each told by a proxy: what passes is waited out, what lasts stops."""

import asyncio

import pytest

from neon_projector.consumer.errors import FatalError, TransientError
from tests.neon.asking import asked, loud
from tests.support.neon_proxy import NeonProxy
from tests.support.projector import running_projector
from tests.support.world import World

POSITIONS = "SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets"

PASSING = [
    ("XX000", "Couldn't connect to compute node", "neon"),
    ("XX000", "Control plane request failed", "neon"),
    ("XX000", "Too many connections to this endpoint. Please try again later.", "neon"),
    ("XX000", "Too many connections attempts", "neon"),
    (
        "XX000",
        "Failed to acquire permit to connect to the database. "
        "Too many database connection attempts are currently ongoing.",
        "neon",
    ),
    ("XX000", "Authentication timed out", "neon"),
    ("08P01", "server login has been failing, try again later (server_login_retry)", "connection"),
    ("08P01", "pgbouncer cannot connect to server", "connection"),
    ("08P01", "client_login_timeout (server down)", "connection"),
    ("08P01", "query_wait_timeout", "limit"),
    ("08P01", "no more connections allowed (max_client_conn)", "limit"),
    ("57P03", "the database system is starting up", "starting"),
    ("57P01", "terminating connection due to administrator command", "starting"),
    ("53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute", "limit"),
]
HALTING = [
    ("08P01", "login rejected", "lets nobody in from here"),
    ("08P01", "transaction blocks not allowed in statement pooling mode", "pool_mode"),
    ("XX000", "Control plane request failed: endpoint is disabled", "endpoint is disabled"),
    ("XX000", "The endpoint has been disabled. Enable it using Neon API and retry.", "endpoint is disabled"),
    ("XX000", "Control plane request failed: endpoint cannot be found", "no such endpoint"),
    ("XX000", "The requested endpoint could not be found, or you don't have access to it.", "no such endpoint"),
    ("XX000", "Endpoint ID is not specified. Either please upgrade the postgres client library", "no such endpoint"),
    ("XX000", "Inconsistent project name inferred from SNI ('a') and project option ('b').", "no such endpoint"),
    (
        "XX000",
        "Control plane request failed: endpoint is temporarily unavailable. "
        "Check your quotas and/or contact our support.",
        "quota",
    ),
    ("XX000", "Your account or project has exceeded the compute time quota.", "quota"),
    ("XX000", "This IP address 192.0.2.7 is not allowed to connect to this endpoint.", "address is not allowed"),
    ("XX000", "This connection is trying to access this endpoint from a blocked network.", "address is not allowed"),
    ("XX000", "password authentication failed for user 'ada'", "user or password"),
    ("XX000", "connection is insecure (try using `sslmode=require`)", "sslmode"),
    ("28P01", 'password authentication failed for user "ada"', "user or password"),
    ("3D000", 'database "x" does not exist', "does not exist"),
    ("08P01", "no such database: x", "does not know the database"),
    ("08P01", "no such user", "user or password"),
    ("08P01", "bouncer config error", "configuration is wrong"),
    ("08P01", "SASL authentication failed", "user or password"),
    ("08P01", "unsupported startup parameter: options", "parameter of the URL"),
    ("XX000", "something that nobody has ever heard of", "no known kind"),
]


def words(case: tuple[str, str, str]) -> str:
    return f"{case[0]} {case[1][:50]}"


@pytest.mark.parametrize("case", PASSING, ids=words)
async def test_promise_5_4_what_passes_is_waited_out(proxy: NeonProxy, case: tuple[str, str, str]) -> None:
    proxy.sqlstate, proxy.refusal, reason = case
    with pytest.raises(TransientError) as refused:
        await asked(proxy.url("postgres"))
    assert refused.value.reason == reason
    proxy.refusal = ""
    assert await asked(proxy.url("postgres")) == "postgres"


@pytest.mark.parametrize("case", HALTING, ids=words)
async def test_promise_5_4_what_no_waiting_mends_stops(proxy: NeonProxy, case: tuple[str, str, str]) -> None:
    proxy.sqlstate, proxy.refusal, said = case
    with pytest.raises(FatalError, match=said) as refused:
        await asked(proxy.url("postgres"))
    assert "192.0.2.7" not in str(refused.value)
    assert "ada" not in str(refused.value)


async def test_promise_5_4_each_refusal_that_passes_costs_no_event_and_no_dead_letter(
    neon: World, proxy: NeonProxy
) -> None:
    url = proxy.url(neon.database_url.rpartition("/")[2])
    with running_projector(neon.settings | {"NEON_DATABASE_URL": url}) as projector:
        for number, (proxy.sqlstate, refusal, _reason) in enumerate(PASSING, 1):
            proxy.refusal, proxy.refused = refusal, 0
            proxy.suspend()
            await neon.publish_users(1)
            async with asyncio.timeout(20):
                while proxy.refused < 2:  # it has tried again
                    await asyncio.sleep(0.01)
            proxy.refusal = ""
            await neon.until("SELECT count(*)::int FROM users", number)
        assert await asyncio.to_thread(projector.terminate) == 0
        logged = projector.logged()
    assert await neon.value("SELECT count(*)::int FROM projector.dead_letters") == 0
    assert (await neon.totals())["applied"] == len(PASSING)
    assert loud(logged) == []


async def test_promise_5_4_a_service_that_runs_stops_with_its_positions_unmoved(neon: World, proxy: NeonProxy) -> None:
    url = proxy.url(neon.database_url.rpartition("/")[2])
    await neon.publish_users(3)
    with running_projector(neon.settings | {"NEON_DATABASE_URL": url}) as projector:
        await neon.until_consumed(3)
        proxy.refusal = "Control plane request failed: endpoint is disabled"
        proxy.suspend()
        await neon.publish_users(2)
        assert await asyncio.to_thread(projector.process.wait, 20) == 3
        last = projector.logged().splitlines()[-1]
    assert last.startswith("projector: ")
    assert "the endpoint is disabled" in last
    assert await neon.value(POSITIONS) == 3
