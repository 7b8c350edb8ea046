"""A new resource is some lines in the table of routes, and its operations."""

import enum
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import strawberry
from conftest import PASSWORD, Api, Person
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from graphql_api import create_app
from graphql_api.api.http.application import Application
from graphql_api.api.rest import openapi, operations, views
from graphql_api.api.rest import routes as routes_
from graphql_api.api.rest.routes import Route
from graphql_api.api.rest.views import blueprint
from graphql_api.errors import FIELD, BadUserInput, Conflict, NotFound
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.executor.executor import Executor

# A resource of another schema: plants, which have enums, versions, pages, filters and orders.


@strawberry.enum
class Light(enum.Enum):
    FULL_SUN = "full sun"
    HALF_SHADE = "half shade"


@strawberry.enum
class PlantOrderField(enum.Enum):
    SOWN_ON = "sown"


@strawberry.enum
class Direction(enum.Enum):
    ASC = "asc"
    DESC = "desc"


@strawberry.type(description="Where a plant stands.")
class PlantSpot:
    bed_name: str
    light: Light


@strawberry.type(description="Something green; `latinName` is for botanists.")
class Plant:
    id: strawberry.ID
    latin_name: str
    needs: list[Light]
    version: int
    spot: PlantSpot | None


@strawberry.type
class PlantPage:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class PlantConnection:
    nodes: list[Plant]
    page_info: PlantPage


@strawberry.input
class PlantFilter:
    needs: list[Light] | None = None
    min_height: int | None = None


@strawberry.input
class PlantOrder:
    field: PlantOrderField
    direction: Direction


@strawberry.input
class SpotInput:
    bed_name: str
    light: Light


@strawberry.input(description="A new plant.")
class CreatePlantInput:
    latin_name: str
    needs: list[Light] | None = None
    spot: SpotInput | None = None
    idempotency_key: str | None = None


@strawberry.input
class UpdatePlantInput:
    id: strawberry.ID
    expected_version: int | None = None
    latin_name: str | None = None


@strawberry.type
class PlantPayload:
    plant: Plant


PLANTS = [Plant(id=f"p{n}", latin_name="Bellis", needs=[], version=1, spot=None) for n in range(3)]


@strawberry.type
class Query:
    @strawberry.field
    def plants(
        self,
        info: strawberry.Info,
        first: int | None = 2,
        after: str | None = None,
        filter: PlantFilter | None = None,
        order_by: PlantOrder | None = None,
    ) -> PlantConnection:
        info.context.asked = (filter, order_by)
        start = int(after or 0)
        end = start + first
        has_more = end < len(PLANTS)
        return PlantConnection(
            nodes=PLANTS[start:end],
            page_info=PlantPage(has_next_page=has_more, end_cursor=str(end)),
        )

    @strawberry.field
    def plant(self, id: strawberry.ID) -> Plant | None:
        if id != "p1":
            raise NotFound("There is no such plant.")
        spot = PlantSpot(bed_name="South", light=Light.HALF_SHADE)
        return replace(PLANTS[1], needs=[Light.FULL_SUN], spot=spot)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def create_plant(self, input: CreatePlantInput) -> PlantPayload:
        if not input.latin_name:
            raise BadUserInput(f"{FIELD} is needed.", "latin_name")
        spot = input.spot and PlantSpot(**vars(input.spot))
        return PlantPayload(
            plant=Plant(
                id=input.idempotency_key or "p9",
                latin_name=input.latin_name,
                needs=input.needs or [],
                version=1,
                spot=spot,
            )
        )

    @strawberry.mutation
    def update_plant(self, input: UpdatePlantInput) -> PlantPayload:
        if input.expected_version == 1:
            raise Conflict("It has changed.", field="expected_version", current_version=2)
        return PlantPayload(plant=replace(PLANTS[0], id=input.id, latin_name=input.latin_name))


SCHEMA = strawberry.Schema(Query, Mutation)

SOURCE = """
fragment Plant on Plant @leaves {
  plant_id: id
  spot @leaves
}
query ListPlants($filter: PlantFilter, $first: Int, $after: String, $orderBy: PlantOrder) {
  plants(filter: $filter, first: $first, after: $after, orderBy: $orderBy) {
    nodes { ...Plant }
    pageInfo @leaves
  }
}
query GetPlant($id: ID!) { plant(id: $id) { ...Plant } }
mutation CreatePlant($input: CreatePlantInput!) {
  createPlant(input: $input) { plant { ...Plant } }
}
mutation UpdatePlant($input: UpdatePlantInput!) {
  updatePlant(input: $input) { plant { ...Plant } }
}
"""

PLANT = "/api/v1/plants/<plant_id>"
ROUTES = (
    Route(("GET",), "/api/v1/plants", "ListPlants", tag="Tasks", summary="List plants"),
    Route(
        ("POST",),
        "/api/v1/plants",
        "CreatePlant",
        tag="Tasks",
        summary="Create a plant",
        status=201,
        location="/api/v1/plants/{plant_id}",
    ),
    Route(("GET",), PLANT, "GetPlant", tag="Tasks", summary="Read a plant"),
    Route(("PATCH",), PLANT, "UpdatePlant", tag="Tasks", summary="Change a plant"),
)


class Context(SimpleNamespace):
    viewer_id = "ann"
    max_page_size = 2

    def allow_whole_lists(self):
        self.max_page_size = 10


@pytest.fixture
def contexts():
    return []


@pytest.fixture
def garden(contexts):
    def context(*_):
        contexts.append(Context())
        return contexts[-1]

    services = SimpleNamespace(context=context)
    app = Application("garden")
    bulkhead = Bulkhead(1, "Wait.", queue_limit=1, queue_seconds=1)
    executor = Executor(SCHEMA, costs={}, introspection=False)
    app.register_blueprint(
        blueprint(
            executor,
            services,
            None,
            lists=bulkhead,
            long_lists=bulkhead,
            routes=ROUTES,
            source=SOURCE,
        )
    )
    return app.test_client()


def test_it_is_read_with_names_and_enums_of_rest_at_every_level(garden):
    plant = garden.get("/api/v1/plants/p1")

    assert plant.json == {
        "plant_id": "p1",
        "latin_name": "Bellis",
        "needs": ["full_sun"],
        "version": 1,
        "spot": {"bed_name": "South", "light": "half_shade"},
    }
    assert plant.headers["ETag"] == '"1"'
    assert garden.get("/api/v1/plants/p1", headers={"If-None-Match": '"1"'}).status_code == 304
    assert garden.get("/api/v1/plants/p7").status_code == 404


def test_it_is_created_at_a_location_by_a_body_of_the_same_names(garden):
    made = garden.post(
        "/api/v1/plants",
        json={
            "latin_name": "Rosa",
            "needs": ["half_shade"],
            "spot": {"bed_name": "North", "light": "Full_Sun"},
        },
        headers={"Idempotency-Key": '"k1"'},
    )

    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/plants/k1")
    assert made.json == {
        "plant_id": "k1",
        "latin_name": "Rosa",
        "needs": ["half_shade"],
        "version": 1,
        "spot": {"bed_name": "North", "light": "full_sun"},
    }


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "latin_name", "Missing required field: latin_name"),
        ({"latin_name": ""}, "latin_name", "latin_name is needed."),
        ({"latin_name": "x", "idempotency_key": "k"}, "idempotency_key", None),
        ({"latin_name": "x", "needs": ["rain"]}, "needs", None),
        (
            {"latin_name": "x", "spot": {"bed_name": "N", "light": "dark"}},
            "light",
            "light must be one of full_sun, half_shade.",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_told_by_its_names(garden, body, field, message):
    refused = garden.post("/api/v1/plants", json=body)

    assert (refused.status_code, refused.json["field"]) == (400, field)
    assert message in {None, refused.json["detail"]}


def test_it_is_changed_only_if_it_has_the_version_in_if_match(garden):
    body = {"latin_name": "Viola"}

    changed = garden.patch("/api/v1/plants/p2", json=body, headers={"If-Match": '"2"'})
    late = garden.patch("/api/v1/plants/p2", json=body, headers={"If-Match": '"1"'})

    assert (changed.json["plant_id"], changed.json["latin_name"]) == ("p2", "Viola")
    assert (late.status_code, late.json["field"]) == (412, "If-Match")
    assert late.json["current_version"] == 2


def test_its_list_is_filtered_sorted_and_paged(garden, contexts):
    query = "needs=full_sun,half_shade&min_height=30&sort=-sown_on&limit=2"

    page = garden.get(f"/api/v1/plants?{query}")

    assert [plant["plant_id"] for plant in page.json] == ["p0", "p1"]
    assert page.headers["Link"] == (
        "</api/v1/plants?needs=full_sun%2Chalf_shade&min_height=30&sort=-sown_on&limit=2&after=2>;"
        ' rel="next"'
    )
    assert contexts[-1].asked == (
        PlantFilter(needs=[Light.FULL_SUN, Light.HALF_SHADE], min_height=30),
        PlantOrder(field=PlantOrderField.SOWN_ON, direction=Direction.DESC),
    )


def test_without_a_limit_its_list_has_all_pages(garden):
    assert [plant["plant_id"] for plant in garden.get("/api/v1/plants").json] == ["p0", "p1", "p2"]


def test_its_paths_work_with_a_slash_at_the_end(garden):
    assert len(garden.get("/api/v1/plants/").json) == 3
    assert garden.get("/api/v1/plants/p1/").json["plant_id"] == "p1"


def test_it_is_described():
    document = openapi.document(SCHEMA._schema, "1", ROUTES, SOURCE)

    validate(document, cls=OpenAPIV31SpecValidator)
    schemas = document["components"]["schemas"]
    assert schemas["Plant"]["description"] == "Something green; `latin_name` is for botanists."
    assert schemas["Light"]["enum"] == ["full_sun", "half_shade"]
    assert set(schemas["CreatePlantInput"]["properties"]) == {"latin_name", "needs", "spot"}
    assert [p["name"] for p in document["paths"]["/api/v1/plants"]["get"]["parameters"]] == [
        *("needs", "min_height", "limit", "after", "sort")
    ]


def test_a_path_that_nothing_takes_cannot_be_served():
    route = Route(
        ("GET",), "/api/v1/plants/<row>/<plant_id>", "ListPlants", tag="Tasks", summary="List"
    )

    with pytest.raises(ValueError, match="ListPlants: nothing takes <row>"):
        openapi.document(SCHEMA._schema, "1", [route], SOURCE)


# A resource of the service itself that REST does not show yet.

SESSIONS = """
query ListSessions { viewer { sessions @leaves { session_id: id } } }
mutation RevokeSession($input: RevokeSessionInput!) { revokeSession(input: $input) @leaves }
"""
SESSION_ROUTES = (
    Route(("GET",), "/api/v1/sessions", "ListSessions", tag="Accounts", summary="List sessions"),
    Route(
        ("DELETE",),
        "/api/v1/sessions/<session_id>",
        "RevokeSession",
        tag="Accounts",
        summary="End a session",
        message="Session ended",
    ),
)


@pytest.fixture
def ann_with_sessions(engine, ann, monkeypatch):
    routes, source = (*routes_.ROUTES, *SESSION_ROUTES), operations.SOURCE + SESSIONS
    with_sessions = partial(blueprint, routes=routes, source=source)
    monkeypatch.setattr(views, "blueprint", with_sessions)
    return Person(Api(create_app(engine).test_client()), ann.username, ann.id, ann.token)


def test_what_graphql_has_already_needs_two_operations_and_two_routes(ann_with_sessions, ann):
    other = ann_with_sessions.api.rest(
        "POST", "/auth/login", json={"username": ann.username, "password": PASSWORD}
    ).json
    sessions = ann_with_sessions.rest("GET", "/api/v1/sessions")

    assert [session.keys() for session in sessions.json] == [
        {"session_id", "device", "created_at", "last_used_at", "current"}
    ] * 2
    assert [session["current"] for session in sessions.json] == [False, True]

    latest = sessions.json[0]["session_id"]
    ended = ann_with_sessions.rest("DELETE", f"/api/v1/sessions/{latest}")
    refused = ann_with_sessions.api.rest("GET", "/api/v1/sessions", other["token"])
    unknown = ann_with_sessions.rest("DELETE", "/api/v1/sessions/nobody-s")

    assert ended.json == {"message": "Session ended", "revoked_session_id": latest}
    assert (refused.status_code, unknown.status_code) == (401, 404)
