"""The connector for wikis that run MediaWiki."""

from services.ingest.connector import Kind
from services.ingest.connectors.mediawiki.connector import open_wiki
from services.ingest.connectors.mediawiki.settings import MediaWikiSettings

CONNECTOR = Kind(name="mediawiki", version="1", settings=MediaWikiSettings, open=open_wiki)
