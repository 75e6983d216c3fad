"""What the services share; the only place where two services meet."""
