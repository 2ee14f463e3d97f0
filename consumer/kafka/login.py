"""Tells a broker that refuses us from one that is away.

aiokafka says "unable to bootstrap" for both, and so a wrong password would be waited for like an outage.
"""

import ssl

import aiokafka.errors
from aiokafka.conn import collect_hosts, create_conn

from neon_projector.consumer.errors import FatalError
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import WRONG_LOGIN, WRONG_MECHANISM
from neon_projector.consumer.settings import KafkaSettings

REFUSED = (
    aiokafka.errors.AuthenticationFailedError,
    aiokafka.errors.SaslAuthenticationFailed,
)


async def require_login(settings: KafkaSettings) -> None:
    """FatalError, naming the setting, where a broker answers and refuses us. One that does not answer is left out."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return
    options = client_options(settings)
    for host, port, _family in collect_hosts(options.pop("bootstrap_servers")):
        try:
            connection = await create_conn(host, port, **options)
        except REFUSED:
            raise FatalError(WRONG_LOGIN) from None
        except aiokafka.errors.UnsupportedSaslMechanismError:
            raise FatalError(f"{WRONG_MECHANISM}={settings.kafka_sasl_mechanism}") from None
        except ssl.SSLCertVerificationError as error:
            raise FatalError(
                f"the broker's certificate is not trusted: KAFKA_SSL_CAFILE: {error.verify_message}"
            ) from None
        except (aiokafka.errors.KafkaError, OSError, TimeoutError):
            continue
        connection.close()
        return
