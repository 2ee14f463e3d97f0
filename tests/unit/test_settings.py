"""Settings come from the environment; what is wrong is told at start, by the variable's name and without secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from neon_projector.consumer.environment import (
    load_database_settings,
    load_event_settings,
    load_kafka_settings,
    load_settings,
)
from neon_projector.consumer.errors import WrongSettings

NEEDED = {
    "NEON_DATABASE_URL": "postgresql://ada:hunter2@ep-a.neon.tech/neondb",
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
}


def test_two_settings_are_enough() -> None:
    settings = load_settings(NEEDED)
    assert settings.kafka_bootstrap_servers == "localhost:9092"
    assert sorted(settings.topics.values()) == ["documents", "users"]
    assert (settings.db_pool_size, settings.db_max_overflow, settings.db_pool_pre_ping) == (20, 30, True)
    assert (settings.db_pool_recycle, settings.db_pool_timeout) == (300, 30)
    assert (settings.kafka_group_id, settings.kafka_isolation_level) == ("neon-projector", "read_committed")
    assert (settings.event_max_bytes, settings.cascade_grace_seconds) == (1024 * 1024, 7 * 24 * 3600)
    assert (settings.fuse_min_records, settings.fuse_ratio) == (1000, 0.9)
    assert (settings.http_host, settings.http_port, settings.log_format) == ("0.0.0.0", 8080, "json")


@pytest.mark.parametrize("missing", sorted(NEEDED))
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_not_set_is_named(missing: str, empty: bool) -> None:
    rest = {name: value for name, value in NEEDED.items() if name != missing}
    with pytest.raises(WrongSettings, match=f"{missing} is not set"):
        load_settings(rest | ({missing: ""} if empty else {}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEON_DATABASE_URL", "mysql://ada:hunter2@host/x"),
        ("NEON_DIRECT_DATABASE_URL", "hunter2"),
        ("DB_POOL_SIZE", "hunter2"),
        ("DB_POOL_SIZE", "0"),
        ("DB_POOL_PRE_PING", "hunter2"),
        ("KAFKA_ISOLATION_LEVEL", "hunter2"),
        ("KAFKA_SECURITY_PROTOCOL", "hunter2"),
        ("BATCH_MAX_EVENTS", "-1"),
        ("FUSE_RATIO", "1.5"),
        ("HTTP_PORT", "70000"),
        ("LOG_FORMAT", "hunter2"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(WrongSettings, match=f"{name}: ") as wrong:
        load_settings(NEEDED | {name: value})
    assert "hunter2" not in str(wrong.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(WrongSettings, match=r"KAFKA_BOOTSTRAP_SERVERS is not set; .*HTTP_PORT: .*"):
        load_settings({"NEON_DATABASE_URL": NEEDED["NEON_DATABASE_URL"], "HTTP_PORT": "x"})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://ada:from-file@host/x\n")
    file = str(tmp_path / "url")
    given = NEEDED | {"NEON_DATABASE_URL_FILE": file, "KAFKA_SASL_PASSWORD_FILE": file}
    assert load_settings(given).address.url.password == "hunter2"
    del given["NEON_DATABASE_URL"]
    settings = load_settings(given)
    assert settings.address.url.password == "from-file"
    assert settings.kafka_sasl_password is not None
    assert settings.kafka_sasl_password.get_secret_value() == "postgresql://ada:from-file@host/x"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match="NEON_DATABASE_URL_FILE: No such file"):
        load_settings({"NEON_DATABASE_URL_FILE": str(tmp_path / "none")})


def test_a_file_of_a_setting_that_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    others = {"NEON_DATABASE_URL_FILE": str(tmp_path / "none"), "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "none")}
    assert load_event_settings(others | {"EVENT_MAX_BYTES": "2048"}).event_max_bytes == 2048
    with pytest.raises(WrongSettings, match="KAFKA_SASL_PASSWORD_FILE: No such file"):
        load_kafka_settings(others | NEEDED)


def test_a_file_that_is_no_text_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xffhunter2")
    with pytest.raises(WrongSettings, match="KAFKA_SASL_PASSWORD_FILE: ") as wrong:
        load_settings(NEEDED | {"KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "secret")})
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("given", [{}, {"KAFKA_SASL_USERNAME": "ada"}, {"KAFKA_SASL_PASSWORD": "hunter2"}])
def test_sasl_needs_a_name_and_a_password(given: dict[str, str]) -> None:
    with pytest.raises(WrongSettings, match="KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD") as wrong:
        load_settings(NEEDED | {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"} | given)
    assert "hunter2" not in str(wrong.value)


def test_topics_have_the_names_that_are_set() -> None:
    settings = load_settings(NEEDED | {"USERS_TOPIC": "crm.users"})
    assert sorted(settings.topics.values()) == ["crm.users", "documents"]


def test_settings_are_frozen_and_show_no_secret() -> None:
    settings = load_settings(NEEDED | {"KAFKA_SASL_PASSWORD": "hunter2"})
    with pytest.raises(ValidationError, match="frozen"):
        settings.http_port = 1  # type: ignore[misc]
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()}"


def test_the_process_environment_adds_nothing_to_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_GROUP_ID", "other")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:9092")
    assert load_settings(NEEDED).kafka_group_id == "neon-projector"
    with pytest.raises(WrongSettings, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        load_settings({"NEON_DATABASE_URL": NEEDED["NEON_DATABASE_URL"]})


def test_the_databases_part_needs_no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_POOL_SIZE", "")
    assert load_database_settings({"NEON_DATABASE_URL": NEEDED["NEON_DATABASE_URL"]}).db_pool_size == 20


@pytest.mark.parametrize("wrong", ["inf", "nan", "-1", "0"])
def test_a_longest_lag_is_a_number_of_seconds(wrong: str) -> None:
    with pytest.raises(WrongSettings, match="READY_MAX_LAG_SECONDS: "):
        load_settings(NEEDED | {"READY_MAX_LAG_SECONDS": wrong})
    assert load_settings(NEEDED | {"READY_MAX_LAG_SECONDS": "0.5"}).ready_max_lag_seconds == 0.5
