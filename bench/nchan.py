"""The peer: nchan, nginx's module for server-sent events in C (Debian: nginx, libnginx-mod-nchan). One worker."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which

import psutil
from aiohttp import ClientSession

from tests.fixtures.stack import eventually, free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_CONF = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  nchan_message_buffer_length 20000;
  nchan_max_reserved_memory 256M;
  server {{
    listen 127.0.0.1:{port};
    location /pub {{ nchan_publisher; nchan_channel_id bench; nchan_message_timeout 5m; client_max_body_size 1m; }}
    location /sub {{ nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
  }}
}}
"""


def there() -> bool:
    """Return whether it is installed."""
    return which("nginx") is not None and MODULE.exists()


@asynccontextmanager
async def nchan() -> AsyncIterator[tuple[int, int]]:
    """Run it; yields its port and the process id of its worker."""
    with tempfile.TemporaryDirectory(prefix="watercooler-nchan-") as name:
        port, folder = free_port(), Path(name)
        folder.chmod(0o777)  # noqa: ASYNC240 - its worker is another user
        (folder / "conf").write_text(_CONF.format(module=MODULE, folder=folder, port=port), encoding="utf-8")
        process = await asyncio.create_subprocess_exec("nginx", "-c", str(folder / "conf"), "-e", str(folder / "e"))
        try:
            await eventually(lambda: psutil.Process(process.pid).children(), what="nchan runs", within=20)
            yield port, psutil.Process(process.pid).children()[0].pid
        finally:
            process.terminate()
            await process.wait()


async def publish(session: ClientSession, port: int, texts: list[bytes]) -> None:
    """Publish messages, in order."""
    for text in texts:
        async with session.post(f"http://127.0.0.1:{port}/pub", data=text) as answer:
            await answer.read()
