"""What Kafka's errors mean for us: nothing of aiokafka leaves the bus."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from services.common.bus import Outgoing
from services.common.errors import Reject, Retry, Stop, WatercoolerError

TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)
_REFUSED = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
_WHO_ARE_YOU = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


def missing(topic: str) -> Retry:
    """Return the error for a topic that is not there."""
    return Retry(f"Kafka has no topic {topic}; create it with `watercooler topics apply`")


def as_error(what: str, error: BaseException) -> WatercoolerError:
    """Return what an error of Kafka means: Stop where a person has to grant or mend something, Retry otherwise."""
    if isinstance(error, _REFUSED):
        return Stop(f"{what}: Kafka does not let us ({type(error).__name__}); grant it (see `watercooler topics acl`)")
    if isinstance(error, _WHO_ARE_YOU):
        return Stop(f"{what}: Kafka does not know us ({type(error).__name__}); check WATERCOOLER_KAFKA_USERNAME")
    return Retry(f"{what}: Kafka failed ({type(error).__name__})")


def of_record(record: Outgoing, error: BaseException) -> WatercoolerError:
    """Return what an error of a send means for its record."""
    if isinstance(error, WatercoolerError):
        return error
    if isinstance(error, TOO_LARGE):
        return Reject(
            f"topic {record.topic}: the record of {len(record.value or b'')} bytes is larger than the topic takes"
        )
    return as_error(f"topic {record.topic}: the record was not stored", error)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise errors of Kafka as ours; ``what`` is what was being done."""
    try:
        yield
    except (KafkaError, ConsumerStoppedError, IllegalOperation, TimeoutError) as error:
        raise as_error(what, error) from error
