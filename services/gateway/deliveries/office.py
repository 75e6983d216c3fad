"""The parts that send what rules ask for, made once."""

from collections.abc import Sequence

from services.common.access import AccessView
from services.common.bus import Bus
from services.common.run import Part
from services.common.settings import Settings
from services.gateway.auth import Auth
from services.gateway.deliveries.collector import Collector
from services.gateway.deliveries.courier import Courier, Tools
from services.gateway.deliveries.keys import key_of
from services.gateway.deliveries.owed import Owed
from services.gateway.deliveries.postman import Postman
from services.gateway.deliveries.secrets import message_id, secret_of
from services.gateway.deliveries.standing import Hook, Standing
from services.gateway.deliveries.webhook import Sending, Webhooks
from services.gateway.desk import Desk
from services.gateway.remembered import Remembered
from services.gateway.stream import makers


class Office:
    """``start`` before, ``running`` as parts of the service, ``stop`` after."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        desk: Desk,
        access: AccessView,
        auth: Auth,
        remembered: Remembered,
    ) -> None:
        self.loopback = settings.webhook_loopback
        self._key = key_of(settings)
        self.standing = Standing(remembered)
        self.owed = Owed(remembered)
        self.webhooks = Webhooks(loopback=self.loopback)
        tools = Tools(
            standing=self.standing,
            owed=self.owed,
            access=access,
            webhooks=self.webhooks,
            as_person=auth.as_person,
            sending=self._sending,
            make=makers.activities(access, lambda _: None),
        )
        self.courier = Courier(bus, tools)
        self.collector = Collector(desk, tools, self.courier.owns, hours=settings.webhook_hours)
        self.postman = Postman(
            settings,
            desk=desk,
            standing=self.standing,
            remembered=remembered,
            as_person=auth.as_person,
            owns=self.courier.owns,
            key=self._key,
            page=auth.public,
        )

    def secret(self, person: str, rule: str, salt: str) -> str:
        """Return the secret that what a rule sends is signed with."""
        return secret_of(self._key(), person, rule, salt)

    def _sending(self, hook: Hook, activity: str, body: bytes) -> Sending:
        return Sending(
            url=hook.url,
            secret=self.secret(hook.person, hook.name, hook.salt),
            id=message_id(hook.person, hook.name, activity),
            body=body,
        )

    async def start(self) -> None:
        """Open the client."""
        await self.webhooks.start()

    def running(self) -> Sequence[Part]:
        """Return what runs for as long as the gateway does."""
        return (self.courier.run(), self.collector.run(), self.postman.run())

    async def stop(self) -> None:
        """Close."""
        await self.webhooks.stop()
