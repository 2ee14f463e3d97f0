"""`make containers`: the image, and the system of docker-compose.yml, from a clean checkout of what is committed.

It needs Docker with compose, and is no part of the suite for that reason. It ends with 1 at the first thing that does
not hold, and leaves neither container, volume nor image behind.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers import operated
from tests.containers.tools import PROJECT, Failed, compose, containers, eventually, must, projector, run, tell

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("publish_and_prove.py")
RECORDS = 20_000
LOCKED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true")
PROGRAMS = ("pip", "pip3", "gcc", "cc", "g++", "make", "git", "curl", "uv", "hatchling")
SETTINGS = {
    "NEON_DATABASE_URL": "postgresql://projector:projector@postgres/projector?sslmode=disable",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
}
LOOK = f"""
import importlib.metadata, importlib.util, json, os, re, shutil
import opentelemetry.exporter.otlp.proto.http.trace_exporter, opentelemetry.sdk.trace
names = sorted(re.sub("[-_.]+", "-", d.name).lower() for d in importlib.metadata.distributions())
print(json.dumps({{
    "uid": os.getuid(), "distributions": names, "pip": importlib.util.find_spec("pip") is not None,
    "programs": [name for name in {PROGRAMS!r} if shutil.which(name)],
}}))"""


def main() -> int:
    revision = run("git", "-C", str(ROOT), "rev-parse", "HEAD").strip()
    os.environ |= {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "PROJECTOR_IMAGE": PROJECT,
        "PROJECTOR_REVISION": revision,
        "PROMETHEUS_PORT": "0",
        "ALERTMANAGER_PORT": "0",
    }
    with tempfile.TemporaryDirectory() as home:
        archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", home], input=archive, check=True)
        os.chdir(home)
        tell(f"a checkout of {revision[:12]}")
        try:
            build()
            look_into_the_image(Path(home))
            check_events()
            with a_system(projectors=1, revision=revision):
                publish_and_prove()
                all_have_taken_part(1)
                operated.the_page()
                operated.alerted()
                operated.healed_and_put_back()
                locked_down()
            with a_system(projectors=3, revision=revision):
                publish_and_prove(at_half=kill_the_second)
                all_have_taken_part(3)
        except Failed as failed:
            tell(f"FAILED: {failed}")
            return 1
        finally:
            subprocess.run(["docker", "image", "rm", "--force", PROJECT], check=False, capture_output=True)
            os.chdir(ROOT)
    tell("all of it holds")
    return 0


def build() -> None:
    start = time.monotonic()
    compose("build", "--quiet", "projector")
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", PROJECT))
    layers = run("docker", "history", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}", PROJECT).splitlines()
    ours = next(line.split()[0] for line in layers if "COPY /opt/projector" in line)
    tell(f"built in {time.monotonic() - start:.1f} s: {size / 1e6:.0f} MB, of which ours {ours}")


def look_into_the_image(checkout: Path) -> None:
    """No root, no pip, nothing that builds, and of packages those of requirements-runtime.lock; traces can be made."""
    found = json.loads(run("docker", "run", "--rm", *LOCKED, "--entrypoint=python", PROJECT, "-c", LOOK))
    lock = (checkout / "requirements-runtime.lock").read_text()
    locked = {name for name, marker in re.findall(r"^([a-z0-9-]+)==\S+( ;.*)?", lock, re.MULTILINE) if not marker}
    must(set(found["distributions"]) == locked | {"neon-projector"}, f"other packages: {found['distributions']}")
    must(found["uid"] != 0 and not found["pip"] and not found["programs"], f"{found}")
    tell(f"in it: user {found['uid']}, {len(locked)} packages of the lock and ours, no pip, none of {list(PROGRAMS)}")


def check_events() -> None:
    """As docs/publishing.md says: events on standard input, and what is wrong with them."""
    command = ["docker", "run", "--rm", "-i", PROJECT, "check"]
    event = '{"specversion": "1.0"}\n'
    done = subprocess.run(command, input=event, capture_output=True, text=True, check=False, timeout=60)
    must(done.returncode == 1 and "-:1: invalid_envelope: id" in done.stdout, f"check: {done.stdout}{done.stderr}")
    tell("it checks the events that it is given on standard input")


@contextmanager
def a_system(projectors: int, revision: str) -> Iterator[None]:
    """`docker compose up` on new volumes, until everything is healthy and scraped; all gone at the end."""
    gone()  # what a check has left that was killed
    start = time.monotonic()
    try:
        compose("up", "--detach", "--scale", f"projector={projectors}")
        eventually("all healthy", lambda: healthy(projectors))
        tell(f"{projectors} x projector: healthy {time.monotonic() - start:.1f} s after docker compose up")
        scraped = f'sum(projector_build_info{{job="projector",revision="{revision}"}})'
        eventually(f"Prometheus sees {projectors}", lambda: f"=> {projectors} @" in prometheus(scraped))
        yield
    except BaseException:
        print(
            compose("logs", "--no-color", "--tail", "40", "migrate", "topics", "projector", check=False),
            file=sys.stderr,
        )
        raise
    finally:
        gone()


def gone() -> None:
    compose("--profile", "observe", "down", "--volumes", "--timeout", "10", check=False)


def healthy(projectors: int) -> bool:
    lasting = {"kafka": 1, "postgres": 1, "prometheus": 1, "projector": projectors}
    rows = containers()
    done = {row["Service"] for row in rows if row["State"] == "exited" and row["ExitCode"] == 0}
    well = [row["Service"] for row in rows if row["Health"] == "healthy"]
    return done == {"migrate", "topics"} and all(well.count(name) == number for name, number in lasting.items())


def publish_and_prove(at_half: Callable[[], None] = lambda: None) -> None:
    """Publish from inside; the tables must equal the publisher's own truth, and `verify` must find no difference."""
    arguments = ["run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "python", "projector", "-", str(RECORDS)]
    with (
        INSIDE.open() as program,
        subprocess.Popen(["docker", "compose", *arguments], stdin=program, stdout=subprocess.PIPE, text=True) as inside,
    ):
        assert inside.stdout is not None
        figures: dict[str, Any] = {}
        for line in inside.stdout:
            figures = json.loads(line)
            if "half" in figures:
                at_half()
    must(inside.returncode == 0 and "differences" in figures, "publishing or draining has failed")
    must(not figures["differences"], f"the tables are not what was published: {figures['differences']}")
    tell(f"drained and proved: {figures}")
    report = json.loads(projector("verify", "--json"))
    must(report["differences"] == [] == report["unprovable"], f"verify: {report}")
    tell(f"projector verify: {report['rows']} from {report['records']} records, open by definition: {report['open']}")


def kill_the_second() -> None:
    (name,) = (row["Name"] for row in containers() if row["Name"].endswith("-projector-2"))
    run("docker", "kill", "--signal=KILL", name)
    tell(f"{name} is killed")


def all_have_taken_part(projectors: int) -> None:
    each = "sum by (instance) (max_over_time(projector_events_total[10m]))"
    taken_part = f"count({each} > 0)"
    eventually(f"{projectors} have taken records", lambda: f"=> {projectors} @" in prometheus(taken_part))
    tell(f"records that each took, as Prometheus saw it: {re.findall('=> ([0-9]+)', prometheus(each))}")


def locked_down() -> None:
    """By `docker run`, as process 1: it gets healthy with a root that can't be written, and SIGTERM reaches it."""
    environment = [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]
    name = f"{PROJECT}-locked"
    run("docker", "run", "--detach", "--name", name, *LOCKED, f"--network={PROJECT}_default", *environment, PROJECT)
    try:
        health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", name)
        eventually("healthy when locked down", lambda: run(*health).strip() == "healthy")
        start = time.monotonic()
        run("docker", "stop", name)
        seconds = time.monotonic() - start
        status = run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).strip()
        must(status == "0" and seconds < 9, f"docker stop took {seconds:.1f} s, exit status {status}")
        tell(f"{' '.join(LOCKED)}: healthy; SIGTERM ends it in {seconds:.1f} s with exit status 0")
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def prometheus(query: str) -> str:
    return compose("exec", "--no-TTY", "prometheus", "promtool", "query", "instant", "http://localhost:9090", query)


if __name__ == "__main__":
    sys.exit(main())
