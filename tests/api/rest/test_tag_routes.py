"""Tags by REST: listed with their numbers, and renamed."""


def test_tags_are_listed_and_renamed(ann):
    for tags in (["home", "a"], ["Home"], ["a", "home"]):
        ann.create(title="x", tags=tags)

    before = ann.rest("GET", "/api/v1/tags").json
    renamed = ann.rest("POST", "/api/v1/tags/rename", json={"from": "HOME", "to": "house"}).json
    wrong = ann.rest("POST", "/api/v1/tags/rename", json={"from": "a", "to": " "})

    assert before == [{"name": "home", "count": 3}, {"name": "a", "count": 2}]
    assert renamed == {"changed": 3, "is_complete": True}
    assert (wrong.status_code, wrong.json["field"]) == (400, "to")
    assert ann.rest("GET", "/api/v1/tags").json == [
        {"name": "house", "count": 3},
        {"name": "a", "count": 2},
    ]
