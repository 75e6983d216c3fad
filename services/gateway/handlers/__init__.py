"""One module per resource. Routes stand in ``services.gateway.routes``."""
