// A server as kafka-sse's own README has it: node kafka_sse.js FOLDER BROKER TOPIC PORT, FOLDER being where it is installed.
"use strict";
const [folder, broker, topic, port] = process.argv.slice(2);
const kafkaSse = require(`${folder}/node_modules/kafka-sse`);
const log = require(`${folder}/node_modules/bunyan`).createLogger({ name: "kafka-sse", level: "error" });
const options = { kafkaConfig: { "metadata.broker.list": broker }, log };
require("http")
  .createServer((request, response) => kafkaSse(request, response, [topic], options).catch(() => response.destroy()))
  .listen(Number(port), "127.0.0.1");
