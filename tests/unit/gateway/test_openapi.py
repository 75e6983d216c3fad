"""The description of the API and what handlers really take cannot drift apart."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from services.gateway.openapi import Version, document, template
from services.gateway.routes import ROUTES, Route
from tests.unit.gateway.world import world

ASKED = [route for route in ROUTES if route.method == "GET" and not route.open]


@pytest.mark.parametrize("route", ASKED, ids=[route.name for route in ASKED])
async def test_parameters_are_those_that_the_handler_knows(route: Route) -> None:
    path = re.sub(r"\{\w+\}", "x", template(route.path))
    async with world() as w:
        problem = await (await w.client.get(f"{path}?no_such=1&as=ann")).json(content_type=None)
    said = problem["detail"].partition("known are ")[2].rstrip(".")
    known = [] if said == "none" else said.split(", ")
    assert sorted(known) == sorted(one.name for one in route.parameters)


async def test_the_document_names_every_address_of_the_application() -> None:
    async with world() as w:
        described = await w.json("/openapi.json")
        resources = {r.resource.canonical for r in w.client.app.router.routes() if r.resource is not None}
    api = {path for path in resources if path.startswith(("/v1", "/registry"))}
    assert api == {path for path in described["paths"] if path.startswith(("/v1", "/registry"))}


@pytest.mark.parametrize(
    ("version", "validator"), [("3.1.0", OpenAPIV31SpecValidator), ("3.2.0", OpenAPIV32SpecValidator)]
)
def test_the_document_is_what_the_specification_says(version: Version, validator: type[Any]) -> None:
    described = json.loads(json.dumps(document(ROUTES, version=version)))
    assert [error.message for error in validator(described).iter_errors()] == []
    stream = described["paths"]["/v1/stream"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert ("itemSchema" in stream) == (version == "3.2.0")


def test_the_document_holds_together() -> None:
    described = document(ROUTES)
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for path, operations in described["paths"].items():
        for operation in operations.values():
            inside = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert inside == set(re.findall(r"\{(\w+)\}", path))
    for reference in re.findall(r"#/components/schemas/(\w+)", str(described)):
        assert reference in described["components"]["schemas"]


def test_every_body_is_described_by_a_name_of_its_own() -> None:
    forms = {route.form for route in ROUTES if route.form}
    schemas = document(ROUTES)["components"]["schemas"]
    described = [form for form in forms if form.model_json_schema() in schemas.values()]
    assert (len(described), schemas["Feedback"]["required"]) == (len(forms), ["subject", "kind"])


async def test_the_page_about_the_api_names_every_address_and_every_problem() -> None:
    async with world() as w:
        text = await (await w.get("/docs")).text()
    for route in ROUTES:
        assert f"{route.method} {template(route.path)}" in text
    assert 'id="bad-cursor"' in text
