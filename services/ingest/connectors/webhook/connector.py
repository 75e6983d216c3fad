"""One open sender: it has no past and nothing to ask for; what it has to say it delivers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pydantic import BaseModel

from services.common.errors import Reject
from services.common.model import Access, AccessKind, Account, Container, Visibility
from services.ingest.connector import Batch, Connector, Delivery, Receipt, Tools, nothing
from services.ingest.connectors.webhook import parse
from services.ingest.connectors.webhook.settings import WebhookSettings
from services.ingest.connectors.webhook.verify import verify

_RATE = "6000"
"""Deliveries a minute that the handshake allows (CloudEvents HTTP webhooks, section 4.2)."""


class WebhookSender:
    """A sender as a source."""

    def __init__(self, settings: WebhookSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        cap = Visibility.PUBLIC if settings.visibility == "public" else Visibility.RESTRICTED
        self._sender = parse.Sender(source=tools.source, name=settings.name or tools.source, cap=cap)

    async def receive(self, delivery: Delivery) -> Receipt:
        """Verify, then read. OPTIONS is the handshake of CloudEvents' webhooks and carries nothing."""
        if delivery.method == "OPTIONS":
            origin = delivery.headers.get("webhook-request-origin", "*")
            return Receipt(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": _RATE, "Allow": "POST"})
        verify(self._settings, delivery)
        if delivery.method != "POST":
            raise Reject("deliveries are sent by POST")
        found = parse.activities(self._sender, delivery.headers, delivery.body, self._tools.clock())
        places = {one.audience.container: parse.deciding(one) for one in found}
        access = [self._access(place) for place in places.values()]
        return Receipt(batch=Batch(activities=found, access=access), answer={"accepted": len(found)}, status=202)

    async def discover(self) -> Sequence[Container]:
        """Return the place of what names none; others turn up with their first activity."""
        return (self._sender.container,)

    async def access(self, container: Container) -> Access:
        """Return what the settings say."""
        return self._access(container)

    def _access(self, container: Container) -> Access:
        closed = container.id.endswith(parse.CLOSED) or self._sender.cap is Visibility.RESTRICTED
        return Access(
            id=container.id,
            kind=AccessKind.CONTAINER,
            visibility=Visibility.RESTRICTED if closed else Visibility.PUBLIC,
            principals=self._settings.principals if closed else (),
            name=container.name,
            url=container.url,
            source=self._tools.source,
        )

    async def accounts(self) -> Sequence[Account]:
        """A sender lists no accounts."""
        return ()

    def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """There is no past to ask for."""
        return nothing()

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Deliveries come by themselves."""
        async for batch in nothing():
            yield batch
        await asyncio.Event().wait()

    def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """There is nothing to compare with."""
        return nothing()


@asynccontextmanager
async def open_door(options: BaseModel, tools: Tools) -> AsyncIterator[Connector]:
    """Yield the sender, open."""
    assert isinstance(options, WebhookSettings)
    yield WebhookSender(options, tools)
