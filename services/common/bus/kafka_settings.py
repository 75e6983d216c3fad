"""Where Kafka is and how to speak to it. Imports no Kafka library, since every command reads settings."""

from dataclasses import dataclass, field
from ssl import SSLContext, SSLError, create_default_context
from typing import Any

from services.common.errors import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Where Kafka is and how to speak to it. ``password`` never reaches a log.

    ``patience`` is for how many seconds a record may wait for Kafka before it counts as not stored.
    """

    bootstrap: str
    security: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    partitions: int = 12
    replication: int = 3
    client_id: str = "watercooler"
    patience: float = 30.0

    def client(self) -> dict[str, Any]:
        """Return the arguments that every aiokafka client takes; raises Stop when they cannot work."""
        common: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "security_protocol": self.security,
            "ssl_context": self._ssl(),
            # The default of five minutes would hide a new broker or a new topic for as long.
            "metadata_max_age_ms": 30_000,
        }
        if self.security.startswith("SASL"):
            if not self.username or not self.password:
                raise Stop(
                    f"Kafka over {self.security} needs WATERCOOLER_KAFKA_USERNAME and WATERCOOLER_KAFKA_PASSWORD_FILE"
                )
            common |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return common

    def _ssl(self) -> SSLContext | None:
        if not self.security.endswith("SSL"):
            return None
        try:
            return create_default_context(cafile=self.ca_file or None)
        except (OSError, SSLError) as error:
            raise Stop(
                f"WATERCOOLER_KAFKA_CA_FILE: {self.ca_file} cannot be read as a PEM certificate"
                f" ({error.strerror or error})"
            ) from error
