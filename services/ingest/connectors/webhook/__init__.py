"""The connector for anything that can send a web request: CloudEvents and plain activities."""

from services.ingest.connector import Kind
from services.ingest.connectors.webhook.connector import open_door
from services.ingest.connectors.webhook.settings import WebhookSettings

CONNECTOR = Kind(name="webhook", version="1", settings=WebhookSettings, open=open_door)
