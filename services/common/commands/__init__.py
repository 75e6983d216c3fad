"""Commands that concern no single service: topics, dead letters, configuration."""
