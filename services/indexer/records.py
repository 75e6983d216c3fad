"""Records of ``enriched.v1`` as writes, with what the source has withdrawn or closed left out or marked."""

from services.common.access import AccessState
from services.common.bus import Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.records import enriched_in
from services.common.search import Write
from services.indexer.document import writes
from services.indexer.writer import Made


class Records:
    """Makes writes of records. Pure apart from what ``access`` knows at the time."""

    def __init__(self, access: AccessState) -> None:
        self._access = access
        self._codec = Codec("enriched")

    def made(self, record: Received) -> Made:
        """Return what one record asks to be written; raises Reject for one that cannot be read.

        A tombstone erases the activity. A repetition is written again, which changes nothing.
        """
        if record.value is None:
            return Made(writes=[Write(kind="activities", id=record.key, document=None)])
        try:
            enriched = enriched_in(self._codec.decode(record.value))
        except ValueError as error:  # a name in it that this version does not know
            raise Reject(f"enriched: {error}") from error
        thing = enriched.activity.object
        withdrawn = self._access.withdrawn(thing.id, thing.version, enriched.activity.order)
        found = writes(enriched, withdrawn=withdrawn, restricted=self._access.restricted(thing.id))
        return Made(writes=found, taken_in=enriched.activity.recorded)
