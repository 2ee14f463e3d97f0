"""Traces are off unless they are asked for; then nothing of OpenTelemetry's SDK is imported. Nothing wrong stops a
service."""

import logging
import subprocess
import sys

import pytest

from neon_projector.consumer.telemetry.tracing.none import UNTRACED, NoTracing
from neon_projector.consumer.telemetry.tracing.switch import tracing_of

HERE = "http://127.0.0.1:4318"
OURS = "neon_projector.consumer.telemetry.tracing"
HEAVY = (
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "google.protobuf",
    "requests",
    f"{OURS}.spans",
    f"{OURS}.sending",
)
OFF: list[dict[str, str]] = [
    {},
    {"OTEL_SERVICE_NAME": "projector", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": HERE},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_SDK_DISABLED": "true"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_SDK_DISABLED": " TRUE"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_TRACES_EXPORTER": "none"},
]
WRONG = [
    ({"OTEL_TRACES_EXPORTER": "jaeger"}, "OTEL_TRACES_EXPORTER: only otlp and none are known here"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: only"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "only http/protobuf"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no URL of http or https"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_BSP_MAX_QUEUE_SIZE": "-1"}, "does not take the variables OTEL_*"),
]
SCRIPT = f"""
import sys
import neon_projector.consumer.runner
from neon_projector.consumer.telemetry.tracing.switch import tracing_of

def kinds(environments):
    return [type(tracing_of(environment, "group")).__name__ for environment in environments]

def imported():
    return [name for name in {HEAVY!r} if any(one == name or one.startswith(name + ".") for one in sys.modules)]

print(kinds({[*OFF, *(wrong for wrong, _ in WRONG[:4])]!r}))
print(imported())
sys.modules["opentelemetry.sdk.trace"] = None
print(kinds([{{"OTEL_EXPORTER_OTLP_ENDPOINT": {HERE!r}}}]))
del sys.modules["opentelemetry.sdk.trace"]
print(kinds([{{"OTEL_EXPORTER_OTLP_ENDPOINT": {HERE!r}}}]))
print(imported())
"""


def test_off_means_not_imported_and_a_missing_extra_is_said() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    off, nothing, missing, on, all_of_it = done.stdout.splitlines()
    assert (off, nothing) == (str(["NoTracing"] * (len(OFF) + 4)), "[]")
    assert missing == "['NoTracing']"
    assert "opentelemetry.sdk.trace is not installed (pip install 'neon-projector[otel]')" in done.stderr
    assert (on, all_of_it) == ("['Sending']", str(list(HEAVY)))


@pytest.mark.parametrize(("environment", "problem"), WRONG)
def test_what_is_wrong_is_a_warning_and_no_traces(
    environment: dict[str, str], problem: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING, "neon_projector"):
        assert isinstance(tracing_of(environment, "group"), NoTracing)
    (record,) = [record for record in caplog.records if record.name.startswith("neon_projector")]
    assert record.getMessage().startswith("there are no traces: ")
    assert problem in record.getMessage()


def test_what_is_off_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for environment in OFF:
        assert isinstance(tracing_of(environment, "group"), NoTracing)
    assert caplog.records == []
    assert UNTRACED.exemplar is None
