"""The live stream: one reader of Kafka per process, a ring in memory, many readers over HTTP."""
