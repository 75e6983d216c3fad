"""What every ring of tests needs: the fixtures of real servers (started only when a test asks for one)."""

from importlib.util import find_spec

from hypothesis import settings

_FIXTURES = ("kafka_elastic", "mediawiki", "synapse", "gitrepo", "faultproxy", "stack", "loop", "oidc", "keycloak")
pytest_plugins = [f"tests.fixtures.{name}" for name in _FIXTURES if find_spec(f"tests.fixtures.{name}")]

settings.register_profile("long", max_examples=3_000)  # pytest --hypothesis-profile=long: `make test-slow`
