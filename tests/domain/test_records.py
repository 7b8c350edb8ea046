import pytest

from graphql_api.domain.records import derived, immutable, internal, rules_of, writable
from graphql_api.errors import BadUserInput


@immutable
class Thing:
    key: str = derived()
    name: str = writable()
    note: str = writable(initial="", clearable=True)
    energy: int | None = writable(bounds=(1, 5), default=None)
    trace: str | None = internal(default=None)


RULES = rules_of(Thing)


def test_fields_are_written_by_clients_by_the_service_or_unseen():
    assert [name for name, rules in RULES.items() if rules.is_writable] == [
        "name",
        "note",
        "energy",
    ]
    assert [name for name, rules in RULES.items() if rules.is_internal] == ["trace"]


def test_null_clears_a_field_that_is_none_at_first_or_says_so():
    assert [name for name, rules in RULES.items() if rules.is_clearable] == ["note", "energy"]


@pytest.mark.parametrize("number", [None, 1, 5])
def test_a_number_within_its_bounds_is_kept(number):
    assert RULES["energy"].check("energy", number) == number


@pytest.mark.parametrize("number", [0, 6, -1])
def test_a_number_beyond_its_bounds_is_refused_by_its_field(number):
    with pytest.raises(BadUserInput) as caught:
        RULES["energy"].check("energy", number)

    assert (caught.value.message, caught.value.field) == ("energy must be from 1 to 5.", "energy")


def test_only_a_field_with_a_default_may_be_left_out():
    assert Thing(key="k", name="n", note="").energy is None
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'note'"):
        Thing(key="k", name="n")


def test_an_internal_field_makes_no_two_records_different():
    plain = Thing(key="k", name="n", note="")

    assert plain == Thing(key="k", name="n", note="", trace="t")
    assert plain != Thing(key="k", name="n", note="", energy=1)


def test_a_field_without_rules_is_refused():
    @immutable
    class Careless:
        name: str

    with pytest.raises(TypeError, match=r"Careless\.name: declare it as writable\(\)"):
        rules_of(Careless)
