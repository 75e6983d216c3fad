"""One client of Elasticsearch whose errors are ours: the type says what happens next."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import orjson
from elastic_transport import AiohttpHttpNode, HttpHeaders, TlsError
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, SerializationError, TransportError
from elasticsearch.exceptions import UnsupportedProductError
from elasticsearch.serializer import OrjsonSerializer

from services.common.errors import Reject, Retry, Stop, WatercoolerError
from services.common.http_rules import shown_text
from services.common.settings import Settings

READ_SECONDS = 10.0
"""For one request that reads; a query itself is ended by the server earlier (``elastic_query.TIMEOUT``)."""
BULK_SECONDS = 60.0


_NOT_UNICODE = "the request holds text that is not Unicode"
_LARGE = 262_144
"""Bytes of a body from which on it is sent in pieces, with other work in between."""


class _Node(AiohttpHttpNode):
    """The client's connection, except that large bodies do not hold up the event loop, and none is ever logged."""

    async def perform_request(  # type: ignore[override]  # as in the library's own asynchronous nodes
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        pieces: Any = BytesIO(body) if body and len(body) > _LARGE else body
        return await super().perform_request(method, target, pieces, headers, request_timeout)

    def _log_request(self, *args: Any, **kwargs: Any) -> None:
        """Bodies are people's text; the library would format each of them whether somebody listens or not."""


class Client:
    """Sends requests; raises Retry, Reject or Stop, each in one sentence."""

    def __init__(self, url: str, *, ca_file: str = "", api_key: str = "") -> None:
        self.url = shown_text(url)  # it stands in errors, and so in logs
        tls: dict[str, Any] = {"ca_certs": ca_file} if ca_file else {}
        self.raw = AsyncElasticsearch(
            url,
            api_key=api_key or None,
            request_timeout=READ_SECONDS,
            max_retries=0,  # whoever calls knows better when to try again
            connections_per_node=16,
            node_class=_Node,
            serializer=OrjsonSerializer(),
            **tls,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "Client":
        """Return a client for the configured server; raises Stop where the settings make none."""
        try:
            return cls(
                settings.elasticsearch,
                ca_file=settings.elasticsearch_ca_file,
                api_key=settings.elasticsearch_api_key.get_secret_value(),
            )
        except (ValueError, OSError) as error:
            shown = shown_text(settings.elasticsearch)
            reason = str(error).replace(settings.elasticsearch, shown)
            raise Stop(f"elasticsearch = {shown} cannot be used: {reason}") from None  # its own text quotes the setting

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Mapping[str, Any]:
        """Return the JSON that a request is answered with."""
        headers = {"accept": "application/json"} | ({"content-type": "application/json"} if body is not None else {})
        try:
            answer = await self.raw.perform_request(method, path, params=params, headers=headers, body=body)
        except (ApiError, TransportError) as error:
            raise self.meaning(error) from error
        found: Mapping[str, Any] = answer.body
        return found

    async def ask_all(self, lines: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Return the answers to several searches of one request, in order; the first error among them is raised.

        ``lines`` are those of ``_msearch``: a head and a body in turns.
        """
        try:
            text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        except TypeError as error:
            raise Reject(_NOT_UNICODE) from error
        headers = {"accept": "application/json", "content-type": "application/x-ndjson"}
        try:
            answer = await self.raw.perform_request("POST", "/_msearch", headers=headers, body=text)
        except (ApiError, TransportError) as error:
            raise self.meaning(error) from error
        found: Sequence[Mapping[str, Any]] = answer.body["responses"]
        for one in found:
            if "error" in one:
                raise self._answered(one["status"], _reason(one, ""))
        return found

    async def there(self, path: str) -> Mapping[str, Any]:
        """Return the JSON of what may be missing; empty when it is."""
        try:
            answer = await self.raw.perform_request("GET", path, headers={"accept": "application/json"})
        except NotFoundError:
            return {}
        except (ApiError, TransportError) as error:
            raise self.meaning(error) from error
        found: Mapping[str, Any] = answer.body
        return found

    def meaning(self, error: ApiError | TransportError) -> WatercoolerError:
        """Return what an error of the client means."""
        if isinstance(error, UnsupportedProductError):
            return Stop(f"what answers at {self.url} is not Elasticsearch; check the setting elasticsearch")
        if isinstance(error, SerializationError):
            return Reject(_NOT_UNICODE)
        if isinstance(error, ApiError):
            return self._answered(error.meta.status, reason(error))
        if isinstance(error, TlsError):
            return Stop(
                f"Elasticsearch at {self.url} and we cannot agree on TLS ({error.message[:200]}); check the settings"
                " elasticsearch (http or https) and elasticsearch_ca_file"
            )
        return Retry(f"Elasticsearch does not answer at {self.url} ({type(error).__name__}); is it running?")

    def _answered(self, status: int, why: str) -> WatercoolerError:
        if status in (401, 403):
            return Stop(f"Elasticsearch at {self.url} refuses us ({status}); check the setting elasticsearch_api_key")
        if status == 404:
            return Retry(f"the index is not there yet ({why}); `watercooler index` makes it")
        if status == 400:
            return Reject(f"Elasticsearch does not take the request: {why}")
        return Retry(f"Elasticsearch at {self.url} is busy or not ready ({status})")


def reason(error: ApiError) -> str:
    """Return the first cause that Elasticsearch names, cut short."""
    return _reason(error.body if isinstance(error.body, dict) else {}, error.message)


def _reason(body: Mapping[str, Any], otherwise: str) -> str:
    found = body.get("error", {})
    causes = found.get("root_cause") or [found] if isinstance(found, dict) else [{"reason": str(found)}]
    return str(causes[0].get("reason", otherwise))[:200]
