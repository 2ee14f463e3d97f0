"""A broker that is away, or one that refuses us: for a command that could not reach Kafka, which of the two it is."""

from neon_projector.consumer.errors import FatalError, ProjectorError, TransientError
from neon_projector.consumer.kafka.login import require_login
from neon_projector.consumer.settings import Settings


async def told_apart(error: ProjectorError, settings: Settings) -> ProjectorError:
    """`error`; or, where it says that no broker can be reached and one refuses us, the FatalError that names the
    setting. aiokafka reports a wrong password and a certificate that is not trusted as a broker that is away."""
    if type(error) is TransientError and error.reason == "kafka":
        try:
            await require_login(settings)
        except FatalError as refused:
            return refused
    return error
