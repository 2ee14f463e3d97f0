"""KAFKA_BOOTSTRAP_SERVERS: what is no list of host:port is refused at start, not waited for as for a broker away."""

import pytest
from aiokafka.conn import collect_hosts

from neon_projector.consumer.broker_list import broker_list
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import WrongSettings

NEEDED = {"NEON_DATABASE_URL": "postgresql://ada@ep-a.neon.tech/neondb"}


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ("a:9092", {("a", 9092)}),
        (" a:1 ,\tb.example.com:65535 ", {("a", 1), ("b.example.com", 65535)}),
        ("a:1,,b:2,", {("a", 1), ("b", 2)}),
        ("[::1]:9092,[fe80::1%eth0]:9093", {("::1", 9092), ("fe80::1%eth0", 9093)}),
        ("my_broker-0.kafka.:9092", {("my_broker-0.kafka.", 9092)}),
    ],
)
def test_the_client_reads_what_was_meant(given: str, hosts: set[tuple[str, int]]) -> None:
    settings = load_settings(NEEDED | {"KAFKA_BOOTSTRAP_SERVERS": given})
    assert {host[:2] for host in collect_hosts(settings.kafka_bootstrap_servers)} == hosts


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("PLAINTEXT://hunter2:9092", "number 1 has a protocol"),
        ("a:1,SASL_SSL://hunter2:9092", "number 2 has a protocol"),
        ("ada:hunter2@b:9092", "number 1 has a user"),
        ("hunter2:9092;b:9092", "another separator"),
        ("hunter2:9092 b:9092", "another separator"),
        ("hunter2:9092\nb:9092", "another separator"),
        ("hunter2", "no port"),
        ("hunter2:", "no port"),
        ("hunter2:port", "no port"),
        ("a:1,hunter2", "number 2 has no port"),
        ("hunter2:0", "between 1 and 65535"),
        ("hunter2:70000", "between 1 and 65535"),
        (":9092", "no host"),
        ("hunter2..b:9092", "no host"),
        (f"{'hunter2' * 10}:9092", "no host"),
        ("hunter2/a:9092", "no host"),
        ("::1:9092", "in brackets"),
        ("[::1]", "in brackets"),
        ("[hunter2]:9092", "no host"),
        (",", "expected host:port"),
        ("   ", "expected host:port"),
    ],
)
def test_anything_else_is_refused_and_not_shown(given: str, said: str) -> None:
    with pytest.raises(WrongSettings, match=said) as wrong:
        load_settings(NEEDED | {"KAFKA_BOOTSTRAP_SERVERS": given})
    assert str(wrong.value).count("KAFKA_BOOTSTRAP_SERVERS: expected host:port") == 1
    assert "hunter2" not in str(wrong.value)


def test_what_was_read_reads_the_same_again() -> None:
    assert broker_list(broker_list(" a:1 ,[::1]:2")) == "a:1,[::1]:2"
