"""The contract as one JSON Schema (2020-12) of the structured form: an alternative for each event type."""

from collections.abc import Iterator

from neon_projector.projections.contract.projection import EventType, Projection, Registry
from neon_projector.projections.publishing.data_schema import data_schema
from neon_projector.projections.publishing.examples import event_example
from neon_projector.projections.publishing.form import TIME, Form, Schema, any_case
from neon_projector.projections.publishing.unsaid import in_words
from neon_projector.projections.publishing.words import ATTRIBUTES, meaning_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "urn:neon-projector:contract:"
REQUIRED = ["specversion", "id", "source", "type"]
TEXT: Schema = {"type": "string", "minLength": 1}
JSON = rf"^\s*({any_case('application/json')}|{any_case('text/json')}|[^;]*\+{any_case('json')})?\s*(;[\s\S]*)?$"
BASE64 = "^[A-Za-z0-9+/]*={0,2}$"
FOR = {
    Form.STRICT: "For publishers: only the contract's own fields and types, in their usual spelling. An event that it "
    "accepts is read, if it keeps the rules below.",
    Form.TOLERANT: "As the service reads: it ignores unknown fields and types. An event that this refuses is rejected.",
}


def json_schema(registry: Registry, version: str, form: Form) -> Schema:
    """The whole contract, for an event in structured form."""
    types = [event_schema(registry, p, t, form) for p, t in registry.event_types.values()]
    if form is Form.TOLERANT:
        types.append(_other(registry))
    return {
        "$schema": DIALECT,
        "$id": f"{NAME}{version}:{form}",
        "title": f"Events of Neon Projector, contract {version}, {form}",
        "description": f"{FOR[form]}\n\nNo schema can state these rules:\n\n{in_words()}",
        "oneOf": types,
    }


def event_schema(registry: Registry, projection: Projection, event_type: EventType, form: Form) -> Schema:
    """An event of this type, in structured form."""
    data = data_schema(registry, projection, event_type, form)
    fields = {"type": {"const": event_type.name}, **_attributes(form)}
    schema: Schema = {"title": event_type.name, "description": f"{event_type.title}. {meaning_of(event_type)}"}
    if form is Form.STRICT:
        schema |= {"type": "object", "required": [*REQUIRED, "data"], "additionalProperties": False}
        places: list[Schema] = [{"required": ["time"]}]
    else:
        schema |= {"type": "object", "required": REQUIRED, "oneOf": [*_either()]}
        places = [{"required": ["time"], "properties": {"time": {"type": "string"}}}]
        places += [{"required": ["data_base64"], "properties": {"data_base64": {"type": "string"}}}]
        fields["data_base64"] = {"type": ["string", "null"], "pattern": BASE64}
    if event_type.times:
        times = {"type": "object", "required": [*event_type.times]}
        schema["anyOf"] = [*places, {"required": ["data"], "properties": {"data": times}}]
    schema["properties"] = {name: with_words(name, rule) for name, rule in fields.items()} | {"data": data}
    return schema | {"examples": [event_example(projection, event_type)]}


def with_words(name: str, rule: Schema) -> Schema:
    """An attribute's rule, with what publishers read about it."""
    words = ATTRIBUTES[name]
    example = rule.get("const", words.example)
    return {"title": words.title, "description": words.description, **rule, "examples": [example]}


def _attributes(form: Form) -> Schema:
    fields: Schema = {"specversion": {"const": "1.0"}, "id": TEXT, "source": TEXT}
    if form is Form.TOLERANT:
        for name, rule in {"subject": {}, "time": TIME[form], "datacontenttype": {"pattern": JSON}}.items():
            fields[name] = {**rule, "type": ["string", "null"]}
        return fields
    fields |= {"subject": TEXT, "time": TIME[form], "datacontenttype": {"const": "application/json"}}
    return fields | {name: {"type": "string"} for name in ("dataschema", "traceparent", "tracestate")}


def _either() -> Iterator[Schema]:
    """`data`, or `data_base64` in its place."""
    yield {"required": ["data"], "properties": {"data_base64": {"type": "null"}}}
    yield {
        "required": ["data_base64"],
        "properties": {"data_base64": {"type": "string"}},
        "not": {"required": ["data"]},
    }


def _other(registry: Registry) -> Schema:
    """Events of any other type: they are ignored, if they are CloudEvents."""
    fields = {"type": {**TEXT, "not": {"enum": [*registry.event_types]}}, **_attributes(Form.TOLERANT)}
    fields["datacontenttype"] = {"type": ["string", "null"]}
    fields["data_base64"] = {"type": ["string", "null"], "pattern": BASE64}
    said = {name: with_words(name, rule) for name, rule in fields.items()}
    said["type"]["examples"] = ["user.logged_in"]
    both = {"required": ["data", "data_base64"], "properties": {"data_base64": {"type": "string"}}}
    return {
        "title": "any other type",
        "description": "An event that the contract does not know. The service ignores it, and counts it.",
        "type": "object",
        "required": REQUIRED,
        "properties": said,
        "not": both,
        "examples": [{name: said[name]["examples"][0] for name in REQUIRED}],
    }
