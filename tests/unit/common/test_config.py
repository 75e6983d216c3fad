"""Settings: what a mistake says, and that no secret is ever shown."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.common import settings as configuration
from services.common.commands.config import config
from services.common.errors import Stop

GOOD = """\
kafka = "kafka:9092"
auth = "demo"

[[sources]]
name = "wiki"
kind = "mediawiki"
url = "https://wiki.example/w/api.php"

[[sources]]
name = "chat"
kind = "matrix"
url = "https://chat.example"
token = "hunter2"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str) -> None:
    Path("watercooler.toml").write_text(text)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(config, list(arguments))


def mistakes() -> list[str]:
    error = invoke("check").exception
    assert isinstance(error, Stop), error
    return str(error).splitlines()


def test_without_a_file_the_defaults_hold() -> None:
    assert configuration.load({}).kafka == "127.0.0.1:9092"
    assert "No mistakes" in invoke("check").output


def test_variables_win_over_the_file_and_arguments_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    written(GOOD)
    assert configuration.load({}).kafka == "kafka:9092"
    monkeypatch.setenv("WATERCOOLER_KAFKA", "other:9092")
    assert configuration.load({}).kafka == "other:9092"
    assert configuration.load({}, kafka="third:9092").kafka == "third:9092"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('kafka = "x:1"\nkafak = "y"\n', "watercooler.toml:2: kafak is not a setting; see docs/settings.md"),
        ("\ngateway_port = 70000\n", "watercooler.toml:2: gateway_port input should be less than or equal to 65535"),
        ('auth = "open"\n', "watercooler.toml:1: auth input should be 'demo', 'none' or 'oidc'"),
        ('topic_prefix = "a_b."\n', "watercooler.toml:1: topic_prefix string should match pattern"),
        ('[[sources]]\nname = "Wiki!"\nkind = "git"\n', "watercooler.toml:2: sources.0.name string should match"),
        ('[[sources]]\nname = "wiki"\n', "watercooler.toml:1: sources.0.kind is missing"),
        ("kafka = \n", "watercooler.toml is not TOML: Invalid value (at line 1, column 9)"),
    ],
)
def test_a_mistake_names_its_line(text: str, line: str) -> None:
    written(text)
    assert mistakes()[0].startswith(line)


def test_every_mistake_is_named_at_once() -> None:
    written('kafak = "y"\ngateway_port = 0.5\nauth = "open"\n')
    assert len(mistakes()) == 3


def test_a_mistaken_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATERCOOLER_GATEWAY_PORT", "http")
    assert mistakes()[0].startswith("WATERCOOLER_GATEWAY_PORT: gateway_port input should be a valid integer")
    monkeypatch.delenv("WATERCOOLER_GATEWAY_PORT")
    monkeypatch.setenv("WATERCOOLER_GATEWAY_PROT", "8080")
    assert mistakes() == ["WATERCOOLER_GATEWAY_PROT is not a setting; see docs/settings.md for those there are"]


def test_mistakes_in_the_options_of_sources_name_their_line() -> None:
    written(
        GOOD
        + '\n[[sources]]\nname = "wiki"\nkind = "wikki"\n\n[[sources]]\nname = "more"\nkind = "mediawiki"\nurll = 1\n'
    )
    found = mistakes()
    assert any("two sources are named 'wiki'" in line for line in found)
    assert any("there is no connector 'wikki'; there are" in line for line in found)
    assert any(line.startswith("watercooler.toml:22: sources.3.urll is not a setting") for line in found), found


def test_a_config_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATERCOOLER_CONFIG", "/nowhere/watercooler.toml")
    assert mistakes() == ["WATERCOOLER_CONFIG names /nowhere/watercooler.toml, which is no file"]


def test_a_mistake_repeats_no_value() -> None:
    written('hash_key = ["hunter2"]\nkafka_password = 7777\n')
    assert not [line for line in mistakes() if "hunter2" in line or "7777" in line]


def test_a_secret_may_lie_in_a_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "secret").write_text("hunter2\n")
    loaded = configuration.load({"WATERCOOLER_KAFKA_PASSWORD_FILE": str(here / "secret")})
    assert loaded.kafka_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(loaded)
    with pytest.raises(Stop, match="a secret cannot be read"):
        configuration.load({"WATERCOOLER_KAFKA_PASSWORD_FILE": str(here / "none")})


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_show_shows_what_holds_and_no_secret(form: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    written(GOOD)
    monkeypatch.setenv("WATERCOOLER_KAFKA_PASSWORD", "hunter2")
    monkeypatch.setenv("WATERCOOLER_ELASTICSEARCH", "https://elastic:hunter2@es.example:9200/")
    shown = invoke("show", *form).output
    assert "hunter2" not in shown
    assert "kafka:9092" in shown
    assert "es.example:9200" in shown
    assert "https://wiki.example/w/api.php" in shown
    assert "(set)" in shown


@pytest.mark.parametrize(
    ("changed", "client"),
    [
        ({}, {"security_protocol": "PLAINTEXT", "ssl_context": None}),
        (
            {"kafka_security": "SASL_PLAINTEXT", "kafka_username": "u", "kafka_password": "p"},
            {"sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "u", "sasl_plain_password": "p"},
        ),
        (
            {
                "kafka_security": "SASL_SSL",
                "kafka_sasl_mechanism": "PLAIN",
                "kafka_username": "u",
                "kafka_password": "p",
            },
            {"sasl_mechanism": "PLAIN", "security_protocol": "SASL_SSL"},
        ),
    ],
)
def test_how_to_speak_to_kafka_reaches_the_client(changed: dict[str, Any], client: dict[str, Any]) -> None:
    given = configuration.load({}, **changed).kafka_settings().client()
    assert {name: given[name] for name in client} == client
    assert (given["ssl_context"] is not None) == changed.get("kafka_security", "").endswith("SSL")


def test_tls_checks_the_host_and_the_certificate() -> None:
    context = configuration.load({}, kafka_security="SSL").kafka_settings().client()["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_what_cannot_work_is_said_before_trying(here: Path) -> None:
    with pytest.raises(Stop, match="WATERCOOLER_KAFKA_USERNAME"):
        configuration.load({}, kafka_security="SASL_SSL").kafka_settings().client()
    (here / "ca.pem").write_text("no certificate")
    for path in ("ca.pem", "none.pem"):
        with pytest.raises(Stop, match=f"WATERCOOLER_KAFKA_CA_FILE: {path}"):
            configuration.load({}, kafka_security="SSL", kafka_ca_file=path).kafka_settings().client()


def test_a_list_is_written_with_commas_in_a_variable_and_as_a_list_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written('gateway_proxies = ["10.0.0.0/8"]\n')
    monkeypatch.setenv("WATERCOOLER_GATEWAY_CORS_ORIGINS", "https://a.example, https://b.example")
    found = configuration.load()
    assert (found.gateway_proxies, found.gateway_cors_origins) == (
        ["10.0.0.0/8"],
        ["https://a.example", "https://b.example"],
    )


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATERCOOLER_SOURCES", "wiki")
    with pytest.raises(Stop, match="sources"):
        configuration.load()
