"""docs/contract/ is what the code reads by: the same bytes, valid by the official schemas, with an example of all."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from typer.testing import CliRunner

from neon_projector.consumer.cli import contract_documents
from neon_projector.consumer.cli.app import app
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import EventType, Kind, Projection, Registry
from neon_projector.projections.publishing.documents import Format, document, files, version_file
from neon_projector.projections.publishing.form import Form, Schema
from neon_projector.projections.publishing.rules import rules_of
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY
from neon_projector.projections.users import UserCreated
from tests.support.comments import WITH_COMMENTS
from tests.support.factories import ARecord
from tests.support.schemas import Verdict

HERE = Path(__file__).parents[2] / "docs" / "contract"
FILES = files(REGISTRY, CONTRACT_VERSION)
EVERY = [(form, kind) for form in Form for kind in Format]
ASYNCAPI = Path(__file__).parents[1] / "support" / "asyncapi-3.1.0.json.gz"
"""AsyncAPI's own schema, as the npm package @asyncapi/specs 6.11.1 has it (Apache-2.0): 3.1.0-without-$id.json."""
decode = Decoder(REGISTRY)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_the_codes_own(name: str) -> None:
    assert (HERE / name).read_text() == FILES[name], "make docs"


def test_the_rules_do_not_change_without_their_version() -> None:
    assert contract_documents.changed_under_its_version(HERE) is None


def test_a_rule_that_changed_without_its_version_is_not_written(tmp_path: Path) -> None:
    contract_documents.write(tmp_path)
    contract_documents.write(tmp_path)
    kept = tmp_path / version_file(CONTRACT_VERSION)
    before = kept.read_text()
    kept.write_text(before.replace('"maxLength": 100', '"maxLength": 99'))
    with pytest.raises(SystemExit, match="raise CONTRACT_VERSION"):
        contract_documents.write(tmp_path)
    assert '"maxLength": 99' in kept.read_text()


def test_rules_have_no_words_but_the_fields_that_are_called_like_one() -> None:
    rules = rules_of(document(REGISTRY, "1.0", Form.STRICT, Format.JSON_SCHEMA))
    created = next(one for one in rules["oneOf"] if one["properties"]["type"]["const"] == "document.created")
    assert created["properties"]["data"]["properties"]["title"] == {"maxLength": 255, "minLength": 1, "type": "string"}
    assert "title" not in created
    assert "description" not in json.dumps(rules)


@pytest.mark.parametrize("form", Form)
def test_json_schemas_are_valid_by_the_dialect_they_name(form: Form) -> None:
    Draft202012Validator.check_schema(document(REGISTRY, "1.0", form, Format.JSON_SCHEMA))


@pytest.mark.parametrize("form", Form)
def test_asyncapi_is_valid_by_its_own_schema(form: Form) -> None:
    official = Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))
    written = document(REGISTRY, "1.0", form, Format.ASYNCAPI)
    assert official.is_valid(written)
    written["channels"]["users"]["messages"]["user.created.binary"]["payload"]["type"] = "nonsense"
    assert not official.is_valid(written)


@pytest.mark.parametrize(("form", "kind"), EVERY)
def test_nothing_is_to_be_fetched_and_no_pattern_looks_around(form: Form, kind: Format) -> None:
    written = json.dumps(document(REGISTRY, "1.0", form, kind))
    assert [ref for ref in re.findall(r'"\$ref": "([^"]*)"', written) if not ref.startswith("#/channels/")] == []
    assert re.findall(r'"pattern": "[^"]*\(\?', written) == []


@pytest.mark.parametrize(("form", "kind"), EVERY)
@pytest.mark.parametrize("registry", [REGISTRY, WITH_COMMENTS], ids=["ours", "with comments"])
def test_every_type_and_field_has_a_title_a_description_and_an_example(
    form: Form, kind: Format, registry: Registry
) -> None:
    for schema in payloads(document(registry, "1.0", form, kind)):
        assert schema["examples"]
        for name, field in fields_of(schema):
            assert field["title"], name
            assert field["description"], name
            assert name == "data" or [Draft202012Validator(field).is_valid(one) for one in field["examples"]] == [True]


def payloads(written: Schema) -> list[Schema]:
    """What describes one type each: an event in structured form; in AsyncAPI also the other mode's data and headers."""
    if "oneOf" in written:
        return list(written["oneOf"])
    every = [message for channel in written["channels"].values() for message in channel["messages"].values()]
    return [message["payload"] | {"examples": message["examples"]} for message in every] + [
        message["headers"] | {"examples": message["examples"]} for message in every
    ]


def fields_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, field in schema.get("properties", {}).items():
        yield name, field
        if name == "data":
            yield from fields_of(field)
    for one in schema.get("oneOf", ()) if "type" not in schema else ():
        yield from fields_of(one)


def messages() -> Iterator[tuple[str, Any]]:
    for channel in document(REGISTRY, "1.0", Form.STRICT, Format.ASYNCAPI)["channels"].values():
        yield from channel["messages"].items()


MESSAGES = dict(messages())


def test_asyncapi_has_each_type_in_both_modes() -> None:
    assert set(MESSAGES) == {f"{name}.{mode}" for name in REGISTRY.event_types for mode in ("structured", "binary")}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_read_and_is_what_it_says(name: str) -> None:
    message = MESSAGES[name]
    (example,) = message["examples"]
    headers = tuple((header, text.encode()) for header, text in example["headers"].items())
    event = decode(ARecord(json.dumps(example["payload"]).encode(), None, headers))
    assert isinstance(event, Event), event
    assert event.type == name.rpartition(".")[0] == message["name"]
    assert [str(event.id)] == message["bindings"]["kafka"]["key"]["examples"]
    assert Draft202012Validator(message["payload"]).is_valid(example["payload"])
    assert Draft202012Validator(message["headers"]).is_valid(example["headers"])


def test_the_examples_of_an_entity_are_its_life_in_rising_versions() -> None:
    versions = [
        MESSAGES[f"{one.name}.binary"]["examples"][0]["payload"]["version"] for one in REGISTRY["document"].event_types
    ]
    assert versions == [1, 2, 3, 4]


@pytest.mark.parametrize("name", REGISTRY.event_types)
def test_strict_takes_no_unknown_field_and_tolerant_does(name: str) -> None:
    strict, tolerant = (Verdict(document(REGISTRY, "1.0", form, Format.JSON_SCHEMA)) for form in Form)
    event = MESSAGES[f"{name}.structured"]["examples"][0]["payload"]
    unknown = [event | {"extension": "x"}, event | {"data": event["data"] | {"nickname": "Lovelace"}}]
    for one in (*unknown, event | {"type": "user.logged_in"}):
        assert strict.accepts(event) and not strict.accepts(one)  # noqa: PT018
        assert tolerant.accepts(event) and tolerant.accepts(one)  # noqa: PT018


def test_a_field_that_its_projection_says_nothing_about_is_an_error() -> None:
    created = EventType("user.created", Kind.COMPLETE, UserCreated, title="A user was created")
    mute = Projection("user", REGISTRY["user"].model, "USERS_TOPIC", "users", (created,))
    with pytest.raises(ValueError, match="user: its projection has no words about the field email"):
        document(Registry(mute), "1.0", Form.STRICT, Format.JSON_SCHEMA)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], "events.strict.json"),
        (["--strict"], "events.strict.json"),
        (["--format", "json-schema", "--tolerant"], "events.tolerant.json"),
        (["--format", "asyncapi"], "asyncapi.json"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else words,
)
def test_the_command_prints_what_stands_in_the_file(words: list[str], name: str) -> None:
    done = CliRunner().invoke(app, ["contract", *words])
    assert (done.exit_code, done.stdout) == (0, FILES[name])
    one_line = CliRunner().invoke(app, ["contract", *words, "--json"]).stdout
    assert (one_line.count("\n"), json.loads(one_line)) == (1, json.loads(FILES[name]))
