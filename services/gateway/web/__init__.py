"""The page: server-rendered, readable without scripts, live with one small module of its own."""
