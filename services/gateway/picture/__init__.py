"""How a topic connects places and units, as far as an asker may open what was done about it. No person is shown."""
