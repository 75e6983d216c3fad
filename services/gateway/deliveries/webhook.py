"""Sends an activity as ActivityStreams JSON, signed as Standard Webhooks has it (standardwebhooks.com)."""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from standardwebhooks import Webhook

from services.common import metrics
from services.common.activitystreams import MEDIA_TYPE
from services.common.clock import Clock, now
from services.common.errors import Reject
from services.common.http import Outside
from services.common.http_rules import retry_after
from services.gateway.deliveries.targets import NoTarget, allowed, target

_TIMEOUT = ClientTimeout(total=10, connect=5)
_AT_ONCE = 32
_GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent where: ``id`` is the same for every try."""

    url: str
    secret: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one try: taken where ``failed`` is empty.

    ``gone``: the receiver wants nothing more, ever. ``after`` is the pause in seconds that it asked for.
    """

    failed: str = ""
    gone: bool = False
    after: float | None = None


class Webhooks:
    """One client for all receivers. ``start`` before use, ``stop`` after."""

    def __init__(self, *, loopback: bool, clock: Clock = now) -> None:
        self._loopback = loopback
        self._clock = clock
        self._http: ClientSession | None = None

    async def start(self) -> None:
        """Open the client. What proxies the environment names is not asked: they would resolve names themselves."""
        resolver = Outside(partial(allowed, loopback=self._loopback))
        self._http = ClientSession(
            connector=TCPConnector(limit=_AT_ONCE, limit_per_host=4, resolver=resolver, use_dns_cache=False),
            cookie_jar=DummyCookieJar(),
            timeout=_TIMEOUT,
            trust_env=False,
        )

    async def stop(self) -> None:
        """Close."""
        if self._http is not None:
            await self._http.close()

    async def send(self, one: Sending) -> Result:
        """Try once. A redirect is not followed: it would lead where nobody has looked."""
        assert self._http is not None, "start first"
        try:
            url = target(one.url, loopback=self._loopback)
            async with self._http.post(
                url, data=one.body, headers=self._headers(one), allow_redirects=False
            ) as answer:  # its body is never read
                found = self._judged(answer.status, answer.headers.get("Retry-After", ""))
        except (NoTarget, Reject) as error:
            found = Result(failed=str(error))
        except TimeoutError:
            found = Result(failed="it did not answer in time")
        except (ClientError, UnicodeError) as error:  # of a name with an empty or too long part
            found = Result(failed=f"it could not be reached or broke off ({type(error).__name__})")
        metrics.RULE_DELIVERIES.labels("webhook", "failed" if found.failed else "sent").inc()
        return found

    def _headers(self, one: Sending) -> dict[str, str]:
        at = self._clock()
        return {
            "Content-Type": MEDIA_TYPE,
            "User-Agent": f"watercooler/{version('watercooler')} (webhook of a rule)",
            "webhook-id": one.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(one.secret).sign(one.id, at, one.body.decode()),
        }

    def _judged(self, status: int, asked: str) -> Result:
        if 200 <= status < 300:
            return Result()
        after = retry_after({"Retry-After": asked}, self._clock())
        return Result(failed=f"it answered {status}", gone=status == _GONE, after=after)
