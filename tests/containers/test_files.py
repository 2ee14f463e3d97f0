"""Dockerfile, docker-compose.yml and prometheus.yml say what they must; `make containers` sees them work."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from neon_projector.consumer.demo.servers.ports import free_port
from neon_projector.consumer.environment import FILE_SUFFIX, load_settings
from neon_projector.consumer.settings import Settings
from neon_projector.projections.registry import REGISTRY
from tests.containers import check
from tests.support.containers import KAFKA_IMAGE, POSTGRES_IMAGE, kafka_variables

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGE = SERVICES["projector"]["image"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == IMAGE}
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())


def instructions(word: str) -> list[str]:
    """What follows `word` in the Dockerfile, wherever it is an instruction."""
    return re.findall(rf"^(?:HEALTHCHECK .*? )?{word}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def test_the_image_runs_without_root_and_gets_signals_itself() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions("USER")[-1])
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["projector"]
    assert json.loads(instructions("CMD")[-1]) == ["run"]


def test_the_image_checks_what_it_is_given_on_standard_input() -> None:
    """As docs/publishing.md says: docker run --rm -i IMAGE check < events.jsonl"""
    (entrypoint,) = json.loads(instructions("ENTRYPOINT")[-1])
    program = Path(sys.executable).with_name(entrypoint)
    given = b'{"specversion": "1.0"}\n'
    done = subprocess.run([program, "check"], input=given, env={"HOME": "/"}, cwd="/", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"-:1: invalid_envelope: id: required, absent\n")


def test_the_image_is_built_with_hashes_and_without_a_frontend_from_elsewhere() -> None:
    assert "syntax=" not in DOCKERFILE
    for line in instructions("RUN"):
        for command in line.split("&&"):
            if "pip" in command and " install " in command:
                assert "--require-hashes" in command or "--no-deps --no-index" in command, command


def test_what_the_image_is_built_from_passes_dockerignore() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    sources = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert sources == {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in sources)


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that answers every request with the status of the test's parameter."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("answering", "status"), [(200, 0), (503, 1)], indirect=["answering"])
def test_the_health_check_asks_for_liveness(answering: int, status: int) -> None:
    assert health_check(answering) == status


def test_the_health_check_fails_where_nobody_answers() -> None:
    assert health_check(free_port()) == 1


def health_check(port: int) -> int:
    """The exit status of the image's health check; a proxy in the environment is none of its business."""
    (line,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    python, *arguments = json.loads(line)
    assert python == "python"
    environment = {"HTTP_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


def test_compose_gives_each_container_settings_that_there_are() -> None:
    known = {name.upper() for name in Settings.model_fields} | {p.topic_setting for p in REGISTRY}
    for name, service in OURS.items():
        given = service.get("environment", {})
        assert {key.removesuffix(FILE_SUFFIX) for key in given} <= known, name
    settings = load_settings(SERVICES["projector"]["environment"])
    assert settings.address.connect_args["ssl"] is False  # the database beside it has no certificate
    assert {name: SERVICES["projector"]["environment"][name] for name in check.SETTINGS} == check.SETTINGS


def test_compose_can_run_more_than_one_projector() -> None:
    projector = SERVICES["projector"]
    assert "container_name" not in projector
    for port in projector["ports"]:
        assert port == f"127.0.0.1::{Settings.model_fields['http_port'].default}"  # the host's is any free one


def test_compose_locks_our_containers_down() -> None:
    assert set(OURS) == {"projector", "migrate", "stream"}
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_builds_the_image_once_and_looks_for_it_nowhere_else() -> None:
    """Built by each of the three, it would be three images: the last has the name, and the next `up` restarts all."""
    assert [name for name, service in OURS.items() if "build" in service] == ["projector"]
    assert [name for name, service in OURS.items() if service.get("pull_policy") != "never"] == ["projector"]


def test_an_undo_file_can_be_written_and_outlives_the_container() -> None:
    """A new volume belongs to root, unless the image has a folder in its place: then to the owner of that."""
    user, group = instructions("USER")[-1].split(":")
    (made,) = (line for line in instructions("RUN") if "/undo" in line)
    assert f"install -d -o {user} -g {group} -m 700 /undo" in made
    projector = SERVICES["projector"]
    assert projector["volumes"] == ["undo:/undo"]
    assert projector["working_dir"] == "/undo"  # of `docker compose exec` and `run`, so the file goes there by itself
    assert COMPOSE["volumes"].keys() >= {"undo"}
    assert instructions("WORKDIR")[-1] == "/"  # elsewhere nobody can write without saying where: it might not be kept


def test_what_starts_everything_has_a_line_that_ends_it() -> None:
    """`down` leaves the containers of profiles that it is not told of, and with them the network."""
    lines = re.findall(r"^    (docker compose .*)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    started, ended = (
        [set(re.findall(r"--profile (\w+)", line)) for line in lines if f" {word} " in line] for word in ("up", "down")
    )
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert set[str]().union(*started) == profiles
    assert ended
    assert all(named == profiles for named in ended)


def test_compose_starts_the_service_when_schema_and_topics_are_there() -> None:
    conditions = {name: on["condition"] for name, on in SERVICES["projector"]["depends_on"].items()}
    assert conditions["migrate"] == conditions["topics"] == "service_completed_successfully"
    assert SERVICES["migrate"]["command"] == ["migrate"]
    (script,) = SERVICES["topics"]["command"]
    assert {p.default_topic for p in REGISTRY} == set(re.search(r"for topic in ([a-z ]+);", script)[1].split())  # type: ignore[index]
    assert "retention.ms=-1" in script
    assert "cleanup.policy=delete" in script


def test_compose_names_a_version_of_each_image_and_the_tests_take_the_same() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert all(re.fullmatch(r"[a-z/]+:v?\d[\d.]*", image) for image in images.values()), images
    assert (images["kafka"], images["topics"], images["postgres"]) == (KAFKA_IMAGE, KAFKA_IMAGE, POSTGRES_IMAGE)


def test_compose_publishes_the_stream_and_shows_dashboards_only_when_asked() -> None:
    asked = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert asked == {"stream": ["stream"], "grafana": ["observe"], "alertmanager": ["observe"]}


def test_only_this_machine_reaches_what_compose_runs() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_compose_asks_each_service_that_stays_whether_it_is_well() -> None:
    for name in ("kafka", "postgres", "prometheus", "grafana", "alertmanager"):
        assert SERVICES[name]["healthcheck"]["test"], name


def test_prometheus_tells_the_alertmanager_that_has_the_example() -> None:
    (told,) = PROMETHEUS["alerting"]["alertmanagers"]
    (found,) = told["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["alertmanager"], 9093)
    (mounted,) = SERVICES["alertmanager"]["volumes"]
    assert mounted == "./monitoring/alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro"
    assert (ROOT / "monitoring" / "alertmanager.yml").is_file()


def test_prometheus_finds_every_projector_by_the_one_name() -> None:
    (job,) = (job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "projector")
    (found,) = job["dns_sd_configs"]
    assert found["names"] == ["projector"]
    assert found["port"] == Settings.model_fields["http_port"].default
    for name in ("prometheus.yml", *PROMETHEUS["rule_files"]):
        assert f"./monitoring/{name}:/etc/prometheus/{name}:ro" in SERVICES["prometheus"]["volumes"]


def test_a_broker_in_a_container_gets_the_properties_of_our_own_ones_but_not_their_listeners() -> None:
    variables = kafka_variables()
    assert variables["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] == "0"
    assert not any("SASL" in name or "SASL" in value for name, value in variables.items())
    assert not any("{" in value for value in variables.values())
