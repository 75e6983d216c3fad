"""The connector for git repositories, by path or by URL."""

from services.ingest.connector import Kind
from services.ingest.connectors.git.connector import open_repository
from services.ingest.connectors.git.settings import GitSettings

CONNECTOR = Kind(name="git", version="1", settings=GitSettings, open=open_repository)
