"""The gateway: REST, the live stream and the page, over the index and the log. It keeps no state of its own."""
