"""What rules send out: signed webhooks at once, mail digests by day or week. Never more than their owner may open."""
