"""The headers of a record, by CloudEvents' Kafka protocol binding: each a name and a text in UTF-8."""

from neon_projector.projections.contract.projection import EventType, Projection
from neon_projector.projections.publishing.examples import headers_example
from neon_projector.projections.publishing.form import TIME, Form, Schema, any_case
from neon_projector.projections.publishing.json_schema import JSON, REQUIRED, TEXT, with_words

STRUCTURED = "application/cloudevents+json"
_TAIL = r"\s*(;[\s\S]*)?$"


def structured_headers(form: Form) -> Schema:
    """In structured mode `content-type` says that the value is the whole event."""
    rule: Schema = {"type": "string", "pattern": rf"^{any_case(STRUCTURED)}\s*(;.*)?$"}
    if form is Form.TOLERANT:
        plain, json = any_case("application/cloudevents"), any_case("application/json")
        rule["pattern"] = rf"^\s*({plain}({any_case('+json')})?|{json})?{_TAIL}"
    said = {
        "title": "Media type of the value",
        "description": "A CloudEvent in JSON.",
        **rule,
        "examples": [STRUCTURED],
    }
    return _headers(form, [], {"content-type": said})


def binary_headers(projection: Projection, event_type: EventType, form: Form) -> Schema:
    """In binary mode each attribute is a header `ce_…`, and the value is the data."""
    rules: Schema = {"specversion": {"const": "1.0"}, "id": TEXT, "source": TEXT, "type": {"const": event_type.name}}
    optional: Schema = {"subject": {"type": "string"}, "time": TIME[form]}
    if form is Form.STRICT:
        optional |= {name: {"type": "string"} for name in ("dataschema", "traceparent", "tracestate")}
    json: Schema = {"type": "string", **({"const": "application/json"} if form is Form.STRICT else {"pattern": JSON})}
    if form is Form.TOLERANT:  # a header without a value counts as absent
        optional = {name: {**rule, "type": ["string", "null"]} for name, rule in optional.items()}
        json["type"] = ["string", "null"]
    example = headers_example(projection, event_type)
    fields = {f"ce_{name}": with_words(name, rule) for name, rule in (rules | optional).items()}
    fields["content-type"] = with_words("datacontenttype", json)
    for name in fields.keys() & example.keys():
        fields[name]["examples"] = [example[name]]
    return _headers(form, [f"ce_{name}" for name in REQUIRED], fields)


def _headers(form: Form, required: list[str], fields: Schema) -> Schema:
    """Other headers are allowed, as clients and brokers add some; but none that was meant for an attribute."""
    schema: Schema = {"type": "object", "required": required, "properties": fields}
    if form is Form.STRICT:
        schema["patternProperties"] = {"^[cC][eE]-": False}
        schema["description"] = "Names are written in small letters, and attributes with `ce_`, not `ce-`."
    else:
        schema["description"] = "Names are read in any case. A header without a value counts as absent."
    return schema
