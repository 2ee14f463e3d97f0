"""The page that leads through docs/contract/."""

from neon_projector.projections.publishing.unsaid import in_a_table

PAGE = """\
# The event contract for machines

Version {version}. Made from the code by `make docs`; a test compares each file.

- [events.strict.json](events.strict.json), or `projector contract`: JSON Schema 2020-12 of an event in structured form,
  for publishers. It takes only the contract's own fields, in their usual spelling.
- [events.tolerant.json](events.tolerant.json), or `projector contract --tolerant`: the same as the service reads.
  Unknown fields and types are ignored, and ids and times have more spellings. What this refuses, the service rejects.
- [asyncapi.json](asyncapi.json), or `projector contract --format asyncapi`: AsyncAPI 3.1, with topics, keys, headers
  and values in both content modes, and an example of each type. It uses nothing that 3.0.0 does not have: a tool that
  reads only 3.0.0 takes it with that number in its first line.
- [vectors/](vectors/README.md): records, and what each must become, for checkers in any language.
- `versions/`: the tolerant schema's rules at each version, without words.

They name nothing that is to be fetched, and no pattern has a look-around. Patterns are those of ECMA-262, as JSON
Schema has it; in Python's `re`, `$` also matches before a line break at the end.

How the contract may change, and in which order to deploy: [publishing.md](../publishing.md#evolving-the-contract).

## What no schema can state

| rule | reason of the dead letter |
|---|---|
{unsaid}
"""


def readme(version: str) -> str:
    """docs/contract/README.md."""
    return PAGE.format(version=version, unsaid=in_a_table())
