"""Records as Avro bytes in the Confluent wire format: 0x00, four bytes of schema id (big endian), Avro body.

Format: docs.confluent.io, "Schema Registry serialization: wire format". Ids are those of the checked-in table unless
a registry has told others (see services/common/registry.py).
"""

from collections.abc import Mapping
from functools import cached_property
from io import BytesIO
from struct import Struct
from typing import Any, cast

import fastavro

from services.common import schemas
from services.common.errors import Reject

_HEAD = Struct(">bI")
_MAGIC = 0


class Codec:
    """Encodes one subject with its newest schema and decodes every version of it."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._newest = schemas.newest(subject)
        self._schema = schemas.parsed(self._newest)
        self._names = schemas.by_id()

    @cached_property
    def schema_id(self) -> int:
        """Id that records carry. Not known when made: codecs are made before a service has asked its registry."""
        return schemas.schema_id(self._newest)

    @cached_property
    def _head(self) -> bytes:
        return _HEAD.pack(_MAGIC, self.schema_id)

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return ``record`` (plain values in the schema's field names) in wire format."""
        return self.framed(self.body(record))

    def framed(self, body: bytes) -> bytes:
        """Return an Avro body in wire format, with the id that is in use now."""
        return self._head + body

    def body(self, record: Mapping[str, Any]) -> bytes:
        """Return the Avro body alone, which is the same whatever ids are in use."""
        out = BytesIO()
        fastavro.schemaless_writer(out, self._schema, record)
        return out.getvalue()

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the plain values; raises Reject saying what is wrong with the bytes."""
        if len(data) < _HEAD.size:
            raise Reject(f"{self.subject}: {len(data)} bytes are too few for the Confluent wire format")
        magic, number = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise Reject(f"{self.subject}: first byte is {magic}, not 0: not in the Confluent wire format")
        name = self._names.get(number)
        if name is None or name.split("/")[0] != self.subject:
            raise Reject(f"{self.subject}: schema id {number} is not one of this subject; publish with a known schema")
        body = BytesIO(data)
        body.seek(_HEAD.size)
        try:
            record = fastavro.schemaless_reader(body, schemas.parsed(name), self._schema)
        except (EOFError, ValueError, IndexError, KeyError, TypeError, AssertionError, OverflowError) as bad:
            raise Reject(f"{self.subject}: body does not match {name} ({type(bad).__name__})") from bad
        if body.read(1):
            raise Reject(f"{self.subject}: bytes are left after the record of {name}")
        return cast(dict[str, Any], record)
