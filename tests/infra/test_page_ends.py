"""Pages of newest items on the embedded engine, of which it reads no more than they have."""

import random
import uuid

import pytest

from graphql_api.infra.dynamodb import Database, Key, codec, connect
from graphql_api.infra.page_ends import PageEnds

pytestmark = pytest.mark.engine_is_no_matter


class World:
    """Somebody's items, which are numbered, and two ways to read the newest ones."""

    def __init__(self, config):
        self.database = Database(connect(config), config.table_prefix)
        self.table = self.database.table("Tasks")
        self.owner = str(uuid.uuid4())
        self.ends = PageEnds("user_id", "task_id")

    def put(self, number):
        item = codec.item(user_id=self.owner, task_id=f"{number:06}")
        self.database.client.put_item(TableName=self.table.name, Item=item)

    def delete(self, number):
        self.table.delete_many([{"user_id": self.owner, "task_id": f"{number:06}"}])

    def read(self, limit, before=None):
        start = before and codec.item(user_id=self.owner, task_id=f"{before:06}")
        return self.ends.newest(self.table, self.owner, filter=None, start=start, limit=limit)

    def page(self, limit, before=None):
        """The numbers of a page, read on until it is whole or nothing is left."""
        found, last = [], before
        while len(found) < limit:
            page = self.read(limit - len(found), last)
            found += numbers(page)
            if page.last_key is None:
                break
            last = int(page.last_key["task_id"]["S"])
        return found

    def all(self):
        where = Key("user_id").eq(self.owner)
        return numbers(self.table.query(where, descending=True, limit=10_000))


def numbers(page):
    return [int(item["task_id"]["S"]) for item in page.items]


@pytest.fixture
def world(engine) -> World:
    return World(engine)


def test_a_page_is_read_to_where_it_ended_before(world):
    for number in range(10):
        world.put(number)

    assert numbers(world.read(3)) == [9, 8, 7]
    calls = []
    world.database.subscribe(calls.append)
    page = world.read(3)
    assert numbers(page) == [9, 8, 7]
    assert page.last_key == codec.item(user_id=world.owner, task_id="000007")
    [query] = [call.arguments for call in calls]
    assert query["KeyConditionExpression"] == "(#n0 = :v0 AND #n1 >= :v1)"
    assert query["ExpressionAttributeNames"] == {"#n0": "user_id", "#n1": "task_id"}
    assert query["ExpressionAttributeValues"][":v1"] == {"S": "000007"}


def test_what_is_new_comes_first_and_moves_the_end(world):
    for number in range(10):
        world.put(number)
    world.read(3)
    world.put(10)

    assert numbers(world.read(3)) == [10, 9, 8]
    assert numbers(world.read(3)) == [10, 9, 8]


def test_a_page_of_which_something_is_gone_says_where_it_goes_on(world):
    for number in range(10):
        world.put(number)
    world.read(3)
    world.delete(8)
    page = world.read(3)

    assert (numbers(page), page.last_key["task_id"]["S"]) == ([9, 7], "000007")
    assert numbers(world.read(3)) == [9, 7, 6]


def test_the_end_of_a_list_is_its_end(world):
    for number in range(3):
        world.put(number)

    for _ in range(2):
        page = world.read(5)
        assert (numbers(page), page.last_key) == ([2, 1, 0], None)


def test_whatever_comes_and_goes_pages_are_those_of_the_whole_list(world):
    chance = random.Random(1)
    for number in chance.sample(range(200), 60):
        world.put(number)
    for _ in range(150):
        number, limit = chance.randrange(200), chance.choice([3, 5, 20])
        chance.choice([world.put, world.delete])(number)
        before = chance.choice([None, 150])
        left = [each for each in world.all() if before is None or each < before]
        assert world.page(limit, before) == left[:limit]
