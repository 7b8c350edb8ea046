"""Advice for agents after an error, by its code. Pure."""

from collections.abc import Mapping

from graphql_api.errors import AppError, Conflict

_ADVICE: Mapping[str, str] = {
    "BAD_USER_INPUT": "Correct the field that is named, and call the tool again.",
    "NOT_FOUND": "Look for its id with find_tasks, list_projects or changes_since.",
    "FORBIDDEN": "This token may not do that: tell its user what is missing.",
    "RATE_LIMITED": "Wait for retry_after seconds.",
    "SERVICE_UNAVAILABLE": (
        "Wait for retry_after seconds; then repeat the call, with the same idempotency_key or"
        " expected_version, so that it is not done twice."
    ),
    "CURSOR_EXPIRED": "Read with find_tasks, then call changes_since without a cursor.",
    "QUERY_TOO_COMPLEX": "Ask for less: a smaller limit, or a narrower filter.",
    "INTERNAL_SERVER_ERROR": "Tell the user the request_id; do not repeat the call.",
}
_CONFLICTS: Mapping[str, str] = {
    "current_version": "Read the task with find_tasks(ids), and decide anew with its version.",
    "blockers": "Complete the blockers first, or ask the user; then call complete_task with force.",
    "subtasks": "Ask the user; then call complete_task with children, complete or keep.",
    "changed_task_ids": (
        "Read them with find_tasks(ids), and ask the user; then reopen the task, and those below it"
        " that are to be open, with change_task."
    ),
    "input_hash": "Call preview_plan again, and apply what it gives.",
}


def advice(error: AppError) -> str:
    """A sentence on what to do after an error."""
    for name, text in _CONFLICTS.items():
        if name in error.details:
            return text
    if isinstance(error, Conflict) and error.field == "idempotency_key":
        return "Take another key, if this is another request."
    return _ADVICE.get(error.code, "Read what has changed with find_tasks, and decide anew.")
