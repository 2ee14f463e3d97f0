"""JSON Schema of an event type's `data`, from the TypedDict that the decoder checks it with."""

from neon_projector.projections.contract.projection import EventType, Projection, Registry
from neon_projector.projections.publishing.examples import Example, data_example, whole_example
from neon_projector.projections.publishing.form import Form, Schema, rule
from neon_projector.projections.publishing.words import meaning_of, words_of


def data_schema(registry: Registry, projection: Projection, event_type: EventType, form: Form) -> Schema:
    """`data` of this type. Where all fields make an event complete, there are two alternatives."""
    own = _object(projection, event_type, form, data_example(projection, event_type))
    if event_type.changes:
        changing = [name for name in own["properties"] if name in event_type.changes]
        own["anyOf"] = [{"required": [name]} for name in changing]
    if event_type.complete_as is None:
        return own
    complete = registry.event_types[event_type.complete_as][1]
    whole = _object(projection, complete, form, whole_example(projection, event_type, complete))
    whole["title"] = f"{event_type.title}: all fields"
    whole["description"] = f"With every field of {complete.name} it is read as that: it carries the whole state."
    whole["required"] = [name for name in whole["properties"] if name in complete.whole]
    if form is Form.TOLERANT:
        own["not"] = {"required": whole["required"]}
    return {"title": event_type.title, "description": "Some fields, or all of them.", "oneOf": [own, whole]}


def _object(projection: Projection, event_type: EventType, form: Form, example: Example) -> Schema:
    stated = event_type.adapter.json_schema()
    fields: Schema = {}
    for name, of_pydantic in stated["properties"].items():
        words = words_of(projection, name)
        fields[name] = {"title": words.title, "description": words.description, **rule(of_pydantic, form)}
        if name in event_type.defaults:
            fields[name]["default"] = event_type.defaults[name]
        fields[name]["examples"] = [example.get(name, words.example)]
    schema: Schema = {"title": event_type.title, "description": meaning_of(event_type), "type": "object"}
    schema |= {"required": stated["required"], "properties": fields}
    if form is Form.STRICT:
        schema["additionalProperties"] = False
    return schema | {"examples": [example]}
