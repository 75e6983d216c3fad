"""What the client of Elasticsearch says of itself in errors."""

import pytest
from elastic_transport import ConnectionError as Unreached

from services.common.errors import Stop
from services.common.search.elastic_client import Client
from services.common.settings import Settings


async def test_errors_name_the_server_and_no_password() -> None:
    client = Client("https://elastic:hunter2@es.example:9200")
    try:
        text = str(client.meaning(Unreached("refused")))
    finally:
        await client.raw.close()
    assert ("https://es.example:9200" in text, "hunter2" in text) == (True, False)


@pytest.mark.parametrize("url", ["elastic:hunter2@es.example", "hunter2", "https://elastic:hunter2@es.example:x"])
def test_a_setting_that_cannot_be_used_is_not_quoted(url: str) -> None:
    with pytest.raises(Stop, match="elasticsearch = ") as refused:
        Client.from_settings(Settings(elasticsearch=url))
    assert "hunter2" not in str(refused.value)
