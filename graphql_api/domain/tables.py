"""The two tables of a deployment; each feature's store says what it keeps in them."""

from graphql_api.infra.dynamodb.tables import TableDefinition

USERS = TableDefinition("Users", ("user_id", "item"), ttl_attribute="expires_at")
TASKS = TableDefinition("Tasks", ("user_id", "task_id"), {"by_due_date": ("user_id", "due_order")})
TABLES = (USERS, TASKS)
