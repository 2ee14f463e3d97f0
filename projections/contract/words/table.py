"""All sentences about bad records, in the order of the document."""

from types import ModuleType

from neon_projector.projections.contract.words import of_data, of_envelopes, of_states, of_values
from neon_projector.projections.contract.words.word import Word

SECTIONS: tuple[tuple[str, ModuleType], ...] = (
    ("The value and the headers, as bytes and text", of_values),
    ("The envelope, key and subject", of_envelopes),
    ("The data", of_data),
    ("Right by itself, and not after what is stored", of_states),
)


def words(module: ModuleType) -> dict[str, Word]:
    """The sentences of one section, by the name of each in the code."""
    return {name: word for name, word in vars(module).items() if isinstance(word, Word)}
