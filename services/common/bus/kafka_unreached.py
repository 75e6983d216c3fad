"""Why Kafka could not be reached. aiokafka says only that it could not; one more attempt sees the cause."""

from ssl import SSLCertVerificationError, SSLError

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import IllegalSaslStateError, KafkaConnectionError, KafkaError

from services.common.bus.kafka_errors import as_error
from services.common.bus.kafka_settings import KafkaSettings
from services.common.errors import Retry, Stop, WatercoolerError

_OF_A_CONNECTION = {
    "client_id",
    "security_protocol",
    "ssl_context",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
}


async def unreached(settings: KafkaSettings, error: BaseException) -> WatercoolerError:
    """Return what a failed first connection means: Stop where a setting is wrong, Retry where nobody answers."""
    if not isinstance(error, KafkaConnectionError | TimeoutError):
        return as_error(f"Kafka at {settings.bootstrap}", error)
    usual = as_error(f"no Kafka could be reached at {settings.bootstrap}, is it running?", error)
    options = {name: value for name, value in settings.client().items() if name in _OF_A_CONNECTION}
    for host, port, _ in collect_hosts(settings.bootstrap):
        try:
            connection = await create_conn(host, port, request_timeout_ms=5_000, **options)
        except SSLCertVerificationError as refused:
            return Stop(
                f"the certificate of Kafka at {host}:{port} is not trusted ({refused.verify_message});"
                " name its authority in WATERCOOLER_KAFKA_CA_FILE"
            )
        except SSLError as refused:
            return Stop(f"Kafka at {host}:{port} does not speak TLS ({refused.reason}); see WATERCOOLER_KAFKA_SECURITY")
        except ConnectionResetError:
            if settings.security.endswith("SSL"):
                hint = "it may not speak TLS, see WATERCOOLER_KAFKA_SECURITY"
                return Retry(f"Kafka at {host}:{port} closed the connection before TLS was agreed; {hint}")
        except IllegalSaslStateError:
            return Stop(f"Kafka at {host}:{port} does not ask who one is; see WATERCOOLER_KAFKA_SECURITY")
        except (KafkaError, OSError, TimeoutError) as cause:
            found = as_error(f"Kafka at {host}:{port} was reached", cause)
            if isinstance(found, Stop):
                return found
        else:
            connection.close()
    return usual
