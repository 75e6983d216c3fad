"""What has been said of accounts (``account.v1``): so that nothing is said twice, and no administrator overruled."""

from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.view import DecodedView

CONFIGURED = "configured"
"""Evidence of a link that an administrator has set; what a source says of the account leaves it as it is."""
Record = dict[str, Any]


class Introductions(DecodedView):
    """The newest record of each account: ``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.ACCOUNT)
        self._records: dict[str, Record] = {}

    def news(self, record: Record) -> Record | None:
        """Return what is to be said of an account; None where it says nothing new but the time."""
        known = self._records.get(record["account"])
        if known and known["evidence"] == CONFIGURED:
            record = record | {"person": known["person"], "evidence": CONFIGURED}
        same = known is not None and known | {"recorded": None} == record | {"recorded": None}
        return None if same else record

    def told_by(self, account: str) -> str:
        """Return the source that has told of an account last; empty where none has."""
        known = self._records.get(account)
        return str(known["source"]) if known else ""

    def said(self, record: Record) -> None:
        """Take note of what has just been said."""
        self._records[record["account"]] = record

    def take(self, received: Received, record: Record | None) -> None:
        """Take a record, or that an account is forgotten."""
        if record is None:
            self._records.pop(received.key, None)
        else:
            self._records[received.key] = record
