"""The connector for Matrix home servers."""

from services.ingest.connector import Kind
from services.ingest.connectors.matrix.connector import open_server
from services.ingest.connectors.matrix.settings import MatrixSettings

CONNECTOR = Kind(name="matrix", version="1", settings=MatrixSettings, open=open_server, prefixes=("/_matrix/app/v1",))
