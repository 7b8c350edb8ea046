"""Operations that schemathesis makes of the schema: none crashes, each answer has its shape."""

from datetime import UTC

import pytest
import schemathesis
from conftest import Api
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from service import ROOT

from graphql_api.api.graphql.schema import COSTS
from graphql_api.errors import STATUS, InternalError, ParseFailed, ValidationFailed

pytestmark = pytest.mark.engine_is_no_matter

schemathesis.graphql.scalar(
    "DateTime",
    st.datetimes(timezones=st.just(UTC)).map(
        lambda instant: schemathesis.graphql.nodes.String(instant.isoformat())
    ),
)
schemathesis.graphql.scalar(
    "LocalTime",
    st.times().map(lambda at: schemathesis.graphql.nodes.String(at.isoformat("minutes"))),
)
SCHEMA = schemathesis.graphql.from_path(ROOT / "schema.graphql")
OPERATIONS = {
    operation.ok().definition.field_name: operation.ok()
    for operation in SCHEMA.get_all_operations()
}
ENDING_SESSIONS = {field for (_, field), cost in COSTS.items() if cost.exclusive}
IMPOSSIBLE = {InternalError.code, ParseFailed.code, ValidationFailed.code}


@pytest.mark.parametrize("field", OPERATIONS)
def test_any_operation_of_the_schema_gets_an_answer_in_graphqls_form(app, ann, field):
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to shrink an operation takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(OPERATIONS[field].as_strategy())
    def check(case):
        asking = Api(app.test_client()).register("fuzz") if field in ENDING_SESSIONS else ann
        answer = asking.api.post(case.body, asking.token)

        assert answer.status_code == 200
        assert answer.json.keys() <= {"data", "errors"}
        assert answer.json.get("data") is None or field in case.body
        codes = [error["extensions"]["code"] for error in answer.json.get("errors", ())]
        assert codes or answer.json["data"]
        assert set(codes) <= STATUS.keys() - IMPOSSIBLE, (case.body, answer.json)
        assert all(error["message"] for error in answer.json.get("errors", ()))

    check()


def test_every_root_field_is_fuzzed():
    assert OPERATIONS.keys() >= {"viewer", "task", "tasks", "register", "login", "createTask"}
    assert len(OPERATIONS) > 12
