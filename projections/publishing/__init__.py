"""The contract for those who publish: as JSON Schema, as AsyncAPI, and how two versions of it compare."""
