"""The documents of the contract as text, and the files that docs/contract/ keeps of them."""

import json
from enum import StrEnum

from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.publishing.async_api import async_api
from neon_projector.projections.publishing.form import Form, Schema
from neon_projector.projections.publishing.json_schema import json_schema
from neon_projector.projections.publishing.readme import readme
from neon_projector.projections.publishing.rules import rules_of


class Format(StrEnum):
    """In which language the contract is written."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


def document(registry: Registry, version: str, form: Form, kind: Format) -> Schema:
    """The contract in this form and format."""
    return (async_api if kind is Format.ASYNCAPI else json_schema)(registry, version, form)


def text_of(schema: Schema) -> str:
    """As it stands in a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def files(registry: Registry, version: str) -> dict[str, str]:
    """By name within docs/contract/, the text of each file but those of earlier versions."""
    tolerant = json_schema(registry, version, Form.TOLERANT)
    return {
        "events.strict.json": text_of(json_schema(registry, version, Form.STRICT)),
        "events.tolerant.json": text_of(tolerant),
        "asyncapi.json": text_of(async_api(registry, version, Form.STRICT)),
        "README.md": readme(version),
        version_file(version): text_of(rules_of(tolerant)),
    }


def version_file(version: str) -> str:
    """The name of the file that keeps a version's rules, without words, for ever."""
    return f"versions/{version}.json"
