"""Another team's consumer: what everyone may open, as it happens. Needs `pip install 'confluent-kafka[avro]'`."""

from os import environ

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = SerializationContext(environ.get("TOPIC", "watercooler.public.v1"), MessageField.VALUE)
read = AvroDeserializer(SchemaRegistryClient({"url": environ.get("REGISTRY", "http://127.0.0.1:8080/registry")}))
server = {"bootstrap.servers": environ.get("KAFKA", "127.0.0.1:9092"), "group.id": environ.get("GROUP", "our-team")}
policy = {"isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.auto.commit": False}
consumer = Consumer({**server, **policy})
consumer.subscribe([TOPIC.topic])
while True:
    if (record := consumer.poll(1)) and not record.error():
        activity = read(record.value(), TOPIC)
        what = "forget" if activity["type"] == "Delete" else activity["verb"]
        print(what, activity["object"]["id"], activity["actor"]["name"], activity["object"]["title"], flush=True)
        consumer.commit(message=record, asynchronous=False)
