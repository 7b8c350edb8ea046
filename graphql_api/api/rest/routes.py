"""The table of REST routes: what is special about a route stands at the route.

All else follows from the operation behind it: parameters and body from its variables
(`parameters`), the response from its selection (`serializers`), entity tags and If-Match from
`version` and `expectedVersion`, Idempotency-Key from `idempotencyKey`, pages from a connection,
and a stream of events from a subscription.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from graphql_api.api.rest.operations import snake_case

TAGS: Mapping[str, str] = {
    "Accounts": "Registration, login, sessions and passwords.",
    "Tasks": "Tasks, what blocks them, and how urgent they are.",
    "Projects": "Lists of tasks under a name.",
    "Views": "Filters and orders of tasks under a name.",
    "Changes": "Changes of tasks: read, followed, taken back.",
    "Settings": "Working hours, days off, and what makes a task urgent.",
    "Plans": "Plans of the open tasks: previewed, applied, undone.",
    "Quick add": "Tasks from one line of text.",
    "Work": "Timers, and minutes of work that are logged.",
    "Calendars": "Calendars that programs subscribe to, and those that plans keep free.",
    "Recurrence": "What comes again, and when.",
    "Webhooks": "URLs to which changes of tasks are posted.",
}


@dataclass(frozen=True)
class Route:
    """A path and its methods, and the name of the operation in operations.graphql."""

    methods: tuple[str, ...]
    path: str
    operation: str
    _: KW_ONLY

    tag: str
    summary: str
    description: str = ""
    example: Mapping[str, Any] | None = None  # of a body
    problems: Mapping[int, str] = field(default_factory=dict)  # by status: when there is which

    status: int = 200
    message: str = ""  # comes first in the body of the response
    location: str = ""  # of what was created, with names of the body in braces
    omits_if_empty: Collection[str] = ()  # names that are left out of the body
    adapt: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # the body, at last

    body_is_optional: bool = False  # no field of it is required
    takes_response: bool = False  # a body may have all fields of the response: those are ignored
    flags: Collection[str] = ()  # boolean fields of the body that the query string may have, too
    names: Mapping[str, str] = field(default_factory=dict)  # of arguments called otherwise here
    aliases: Mapping[str, str] = field(default_factory=dict)  # other names of parameters
    headers: Mapping[str, str] = field(default_factory=dict)  # that come before an argument
    paged_orders: Collection[str] = ()  # orders of a list that has pages only

    def __post_init__(self) -> None:
        if self.tag not in TAGS:
            raise ValueError(f"{self.operation}: there is no tag {self.tag}")


def _spell_terms(task: dict[str, Any]) -> dict[str, Any]:
    """Spell the names of urgency coefficients as /api/v1/settings does."""
    for term in task["urgency"]["terms"]:
        term["name"] = snake_case(term["name"])
    return task


NO_VIEW_ID = "`view_id` is none of the user's, or names a project that was deleted."

TASKS = "/api/v1/tasks"
TASK = f"{TASKS}/<task_id>"
BLOCKERS = f"{TASK}/blockers"
TAGS_OF_TASKS = "/api/v1/tags"
CHANGES = "/api/v1/changes"
PROJECTS = "/api/v1/projects"
PROJECT = f"{PROJECTS}/<project_id>"
VIEWS = "/api/v1/views"
VIEW = f"{VIEWS}/<view_id>"
SETTINGS = "/api/v1/settings"
PLAN = "/api/v1/plan"
PLANNED_BLOCKS = f"{PLAN}/blocks"
SERIES = "/api/v1/series/<series_id>"
BUSY_CALENDARS = "/api/v1/busy-calendars"
BUSY_CALENDAR = f"{BUSY_CALENDARS}/<calendar_id>"
BUSY_TIMES = "/api/v1/busy-times"
CALENDAR_FEEDS = "/api/v1/calendar-feeds"
QUICK_ADD = "/api/v1/quick-add"
RECURRENCE_PREVIEW = "/api/v1/recurrence-preview"
ACCESS_TOKENS = "/api/v1/access-tokens"
WEBHOOKS = "/api/v1/webhooks"
WEBHOOK = f"{WEBHOOKS}/<webhook_id>"

CREDENTIALS = {"username": "ada", "password": "correct horse battery staple"}
BLOCKER_EXAMPLE = {"blocker_ids": ["01a2033b-75cf-7897-ad3f-cf19d497fbb0"]}
PLAN_EXAMPLE = {"from": "2030-01-07T08:00:00Z", "horizon_days": 7}
PLAN_ID = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"

WEBHOOK_EXAMPLE = {
    "url": "https://example.com/hooks/tasks",
    "kinds": ["task_created", "task_completed"],
    "filter": {"tags": ["home"]},
}

TOO_MANY_ASKED_FOR = {429: "Too many deliveries that were asked for are waiting."}
TOO_MANY_GUESSES = {429: "Too many attempts: try again after `Retry-After` seconds."}
TASK_CHANGES = {409: "Other requests keep changing the task."}
VIEW_CHANGES = {409: "Other requests keep changing the view."}
PROJECT_CHANGES = {409: "Other requests keep changing the project."}
SERIES_CHANGES = {409: "The series has ended, or other requests keep changing it."}
CLOSING = {409: "The task is closed already, or open blockers or subtasks are in the way."}
WEBHOOK_CHANGES = {409: "Other requests keep changing the webhook."}
TOO_OLD = {410: "Changes after this cursor are no longer kept: list your tasks anew."}
NO_VIEW = {404: "`view` is none of the user's, or names a project that was deleted."}
NO_PLAN_TASK = {404: "One of `task_ids` is no open task of the user."}

ROUTES = (
    Route(
        ("POST",),
        "/auth/register",
        "RegisterUser",
        tag="Accounts",
        summary="Open an account",
        description="Creates a user and logs in.",
        example=CREDENTIALS,
        problems={409: "The username is taken.", **TOO_MANY_GUESSES},
        status=201,
        message="User registered successfully",
    ),
    Route(
        ("POST",),
        "/auth/login",
        "LogIn",
        tag="Accounts",
        summary="Log in",
        description="Opens a session and returns its tokens.",
        example=CREDENTIALS,
        problems={401: "The username or the password is wrong.", **TOO_MANY_GUESSES},
    ),
    Route(
        ("GET",),
        "/auth/verify",
        "Verify",
        tag="Accounts",
        summary="Verify a token",
        description="Returns the user whose access token this is.",
    ),
    Route(
        ("POST",),
        "/auth/refresh",
        "RefreshToken",
        tag="Accounts",
        summary="Exchange a refresh token",
        description=(
            "Returns new tokens without the password. A refresh token is good for one exchange:"
            " the session ends if it comes again."
        ),
        example={"refresh_token": "eyJzaWQiOiI…"},
        problems={
            401: "The refresh token is invalid, or its session has ended.",
            409: "Other requests keep exchanging this token.",
        },
    ),
    Route(
        ("POST",),
        "/auth/logout",
        "LogOut",
        tag="Accounts",
        summary="Log out",
        description="Ends the session of the access token.",
        message="Logged out successfully",
    ),
    Route(
        ("POST",),
        "/auth/password",
        "ChangePassword",
        tag="Accounts",
        summary="Change the password",
        description="Ends all sessions of the user, opens one, and returns its tokens.",
        example={
            "current_password": "correct horse battery staple",
            "new_password": "incorrect zebra generator pin",
        },
        problems={409: "The account has changed meanwhile.", **TOO_MANY_GUESSES},
    ),
    Route(
        ("DELETE",),
        "/auth/account",
        "DeleteAccount",
        tag="Accounts",
        summary="Delete the account",
        description="Deletes the user and everything that is the user's, for good.",
        example={"password": "correct horse battery staple"},
        problems={409: "The account has changed meanwhile.", **TOO_MANY_GUESSES},
        message="Account deleted successfully",
    ),
    Route(
        ("GET",),
        TASKS,
        "ListTasks",
        tag="Tasks",
        summary="List tasks",
        description=(
            "Without `limit` and `after` the array has all tasks of the user that match, by"
            " `created_at` or `due_at`. Other orders come in pages only, of 25 tasks without"
            " `limit`, and so do those of a `view`."
        ),
        names={"tags": "tag", "view_id": "view"},
        problems=NO_VIEW,
        paged_orders={
            *("urgency", "priority", "title"),
            *("updated_at", "planned_start", "completed_at", "position"),
        },
    ),
    Route(
        ("POST",),
        TASKS,
        "CreateTask",
        tag="Tasks",
        summary="Create a task",
        example={"title": "Water the plants", "tags": ["home"], "due_at": "2030-06-03T09:00:00Z"},
        problems={
            404: "`project_id`, `parent_id` or one of `blocked_by` is none of the user's.",
            409: "The `Idempotency-Key` was used with another body, or its task is gone.",
        },
        status=201,
        location=f"{TASKS}/{{task_id}}",
        takes_response=True,
    ),
    Route(
        ("POST",),
        f"{TASKS}/bulk",
        "CreateTasks",
        tag="Tasks",
        summary="Create several tasks",
        description=(
            "Creates each by itself: the array has the `task` or the `error` of each, in the same"
            " order. `blocked_by_index` and `parent_index` name others of them by their places."
        ),
        example={"tasks": [{"title": "Pack"}, {"title": "Move", "blocked_by_index": [0]}]},
    ),
    Route(
        ("GET",),
        TASK,
        "GetTask",
        tag="Tasks",
        summary="Read a task",
    ),
    Route(
        ("PUT", "PATCH"),
        TASK,
        "UpdateTask",
        tag="Tasks",
        summary="Change a task",
        description=(
            "Changes the fields that the body has. null clears a field that can be empty; a field"
            " that is absent stays as it is, with `PUT` as with `PATCH`. With `Prefer: merge` it"
            " is also applied to a later version than the one in `If-Match`, and the answer has"
            " `merged`, unless one of its fields has been changed since."
        ),
        example={"status": "in_progress", "due_at": None},
        problems={
            409: "Open blockers or subtasks keep it from being completed, or it keeps changing."
        },
        omits_if_empty={"merged"},
        takes_response=True,
        flags={"force"},
    ),
    Route(
        ("DELETE",),
        TASK,
        "DeleteTask",
        tag="Tasks",
        summary="Delete a task",
        description=(
            "Deletes a task and all tasks below it for good. The tasks that they blocked are"
            " released."
        ),
        problems=TASK_CHANGES,
        message="Task deleted successfully",
        omits_if_empty={"deleted_subtask_ids", "released_task_ids"},
    ),
    Route(
        ("GET",),
        f"{TASK}/subtasks",
        "GetSubtasks",
        tag="Tasks",
        summary="List the subtasks of a task",
        description="Lists the tasks directly below it, by `position`, and how far they are done.",
    ),
    Route(
        ("GET",),
        BLOCKERS,
        "GetBlockers",
        tag="Tasks",
        summary="List the blockers of a task",
        description="Lists the tasks that have to be done before it, and those that wait for it.",
    ),
    Route(
        ("POST",),
        BLOCKERS,
        "AddBlockers",
        tag="Tasks",
        summary="Add blockers to a task",
        example=BLOCKER_EXAMPLE,
        problems={409: "A blocker waits for the task: `cycle` has the way from one to the other."},
    ),
    Route(
        ("DELETE",),
        BLOCKERS,
        "RemoveBlockers",
        tag="Tasks",
        summary="Remove blockers from a task",
        example=BLOCKER_EXAMPLE,
        problems=TASK_CHANGES,
    ),
    Route(
        ("GET",),
        TAGS_OF_TASKS,
        "ListTags",
        tag="Tasks",
        summary="List tags",
        description="Lists the tags of the user's tasks with their numbers, the most used first.",
    ),
    Route(
        ("POST",),
        f"{TAGS_OF_TASKS}/rename",
        "RenameTag",
        tag="Tasks",
        summary="Rename a tag",
        description=(
            "Gives a tag another name, in up to 100 tasks at a time. Repeat it until `is_complete`."
        ),
        example={"from": "errand", "to": "errands"},
        problems=TASK_CHANGES,
    ),
    Route(
        ("GET",),
        f"{TASK}/urgency",
        "GetUrgency",
        tag="Tasks",
        summary="Rate how urgent a task is",
        description="Returns the score and the terms that it is the sum of.",
        adapt=_spell_terms,
    ),
    Route(
        ("GET",),
        f"{TASK}/history",
        "GetHistory",
        tag="Changes",
        summary="Read the history of a task",
        description="Returns a page of a task's changes, newest first, as long as they are kept.",
        aliases={"first": "limit"},
    ),
    Route(
        ("GET",),
        CHANGES,
        "ListChanges",
        tag="Changes",
        summary="List changes",
        description=(
            "Returns the changes of the user's tasks after a cursor; without one, from the oldest"
            " that is kept. None is left out, but those of the last seconds may come again: apply"
            " them by `version`, and know them by `id`. `end_cursor` is where to go on."
        ),
        problems={**TOO_OLD, **NO_VIEW},
        names={"view_id": "view"},
        aliases={"first": "limit"},
    ),
    Route(
        ("POST",),
        f"{CHANGES}/<change_id>/undo",
        "UndoChange",
        tag="Changes",
        summary="Undo a change",
        description=(
            "Restores the fields that it changed, or the task that it deleted and its blockers;"
            " with a completion, opens again what was completed below for it."
        ),
        problems={409: "One of the `fields` has been changed since."},
    ),
    Route(
        ("GET",),
        "/api/v1/events",
        "FollowChanges",
        tag="Changes",
        summary="Follow the changes",
        description=(
            "Sends the changes of the user's tasks as they happen, as server-sent events: each has"
            " a change as its `data` and a cursor as its `id`. It begins after the cursor in"
            " `Last-Event-ID` or `after`; without one, now."
        ),
        problems={**TOO_OLD, **NO_VIEW, 429: "The user has too many streams."},
        names={"view_id": "view"},
        headers={"after": "Last-Event-ID"},
    ),
    Route(
        ("GET",),
        PROJECTS,
        "ListProjects",
        tag="Projects",
        summary="List projects",
        description=(
            "Lists the user's projects in their order: those that are not archived, or with"
            " `archived=true` those that are. Without `limit` and `after` the array has all."
        ),
    ),
    Route(
        ("POST",),
        PROJECTS,
        "CreateProject",
        tag="Projects",
        summary="Create a project",
        example={"name": "The move", "color": "#1e90ff"},
        problems={409: "The user has as many projects as a user may have."},
        status=201,
        location=f"{PROJECTS}/{{project_id}}",
        takes_response=True,
    ),
    Route(
        ("GET",),
        PROJECT,
        "GetProject",
        tag="Projects",
        summary="Read a project",
    ),
    Route(
        ("PUT", "PATCH"),
        PROJECT,
        "UpdateProject",
        tag="Projects",
        summary="Change a project",
        description=(
            "Changes the fields that the body has; a field that is absent stays as it is, with"
            " `PUT` as with `PATCH`. null clears the colour."
        ),
        example={"name": "The new flat"},
        problems=PROJECT_CHANGES,
        takes_response=True,
    ),
    Route(
        ("POST",),
        f"{PROJECT}/archive",
        "ArchiveProject",
        tag="Projects",
        summary="Archive a project",
        description="Puts a project away. Its tasks stay as they are, and in their lists.",
        problems=PROJECT_CHANGES,
    ),
    Route(
        ("POST",),
        f"{PROJECT}/unarchive",
        "UnarchiveProject",
        tag="Projects",
        summary="Take a project out of the archive",
        problems=PROJECT_CHANGES,
    ),
    Route(
        ("DELETE",),
        PROJECT,
        "DeleteProject",
        tag="Projects",
        summary="Delete a project",
        description=(
            "Deletes a project. `tasks` says what becomes of its tasks: `move` puts them into the"
            " project `move_to`, `delete` deletes them, `keep` leaves them in no project. With"
            " many of them `is_complete` is false: the service goes on."
        ),
        example={"tasks": "keep"},
        problems=PROJECT_CHANGES,
        message="Project deleted successfully",
    ),
    Route(
        ("GET",),
        VIEWS,
        "ListViews",
        tag="Views",
        summary="List saved views",
    ),
    Route(
        ("POST",),
        VIEWS,
        "CreateView",
        tag="Views",
        summary="Save a view",
        description="Saves a filter and an order of tasks under a name, for `/api/v1/tasks?view=`.",
        example={"name": "Errands", "filter": {"tags": ["errands"], "status": ["pending"]}},
        problems={409: "The user has as many views as a user may have."},
        status=201,
        location=f"{VIEWS}/{{view_id}}",
    ),
    Route(
        ("GET",),
        VIEW,
        "GetView",
        tag="Views",
        summary="Read a view",
    ),
    Route(
        ("PUT", "PATCH"),
        VIEW,
        "UpdateView",
        tag="Views",
        summary="Change a view",
        description=(
            "Changes the fields that the body has; a field that is absent stays as it is, with"
            " `PUT` as with `PATCH`. A `filter` takes the place of all conditions before."
        ),
        example={"name": "In town"},
        problems=VIEW_CHANGES,
    ),
    Route(
        ("DELETE",),
        VIEW,
        "DeleteView",
        tag="Views",
        summary="Delete a view",
        problems=VIEW_CHANGES,
        message="View deleted successfully",
    ),
    Route(
        ("GET",),
        SETTINGS,
        "GetSettings",
        tag="Settings",
        summary="Read the settings",
    ),
    Route(
        ("PUT", "PATCH"),
        SETTINGS,
        "UpdateSettings",
        tag="Settings",
        summary="Change the settings",
        description=(
            "Changes the settings that the body has. null restores a default; a setting that is"
            " absent stays as it is, with `PUT` as with `PATCH`."
        ),
        example={
            "timezone": "Europe/Berlin",
            "working_hours": [{"day": "monday", "intervals": [{"start": "09:00", "end": "17:00"}]}],
        },
        problems={409: "Other requests keep changing the settings."},
    ),
    Route(
        ("GET",),
        f"{QUICK_ADD}/preview",
        "PreviewQuickAdd",
        tag="Quick add",
        summary="Preview quick add",
        description="Returns what would be made of a text; nothing is written.",
    ),
    Route(
        ("POST",),
        QUICK_ADD,
        "QuickAdd",
        tag="Quick add",
        summary="Create a task from one line of text",
        description="Returns the task, and what was read as what.",
        example={"text": "Pay rent tomorrow 17:00 every month #home !high ~30m"},
        problems={409: "The `Idempotency-Key` was used with another text, or its task is gone."},
        status=201,
        location=f"{TASKS}/{{task[task_id]}}",
    ),
    Route(
        ("GET",),
        CALENDAR_FEEDS,
        "ListCalendarFeeds",
        tag="Calendars",
        summary="List calendar feeds",
    ),
    Route(
        ("POST",),
        CALENDAR_FEEDS,
        "CreateCalendarFeed",
        tag="Calendars",
        summary="Create a calendar feed",
        description="The answer has the address of the calendar; it is shown this once.",
        example={"name": "My plan", "content": ["blocks", "due"], "detail": "full"},
        problems={
            404: NO_VIEW_ID,
            409: "The user has as many calendar feeds as a user may have.",
        },
        status=201,
    ),
    Route(
        ("DELETE",),
        f"{CALENDAR_FEEDS}/<feed_id>",
        "DeleteCalendarFeed",
        tag="Calendars",
        summary="Delete a calendar feed",
        description="Its address leads nowhere then.",
        problems={409: "Other requests keep changing the user's feeds."},
        message="Calendar feed deleted successfully",
    ),
    Route(
        ("GET",),
        BUSY_CALENDARS,
        "ListBusyCalendars",
        tag="Calendars",
        summary="List busy calendars",
    ),
    Route(
        ("GET",),
        BUSY_TIMES,
        "ListBusyTimes",
        tag="Calendars",
        summary="List busy times",
        description="The times between two instants that busy calendars take.",
        problems={404: "`calendar_id` is none of the user's busy calendars."},
    ),
    Route(
        ("POST",),
        BUSY_CALENDARS,
        "AddBusyCalendar",
        tag="Calendars",
        summary="Add a busy calendar",
        description="One that is uploaded is read at once, one of a URL soon.",
        example={"name": "Work", "url": "https://example.com/work.ics", "all_day": "ignore"},
        problems={
            404: "`replaces_id` is none of the user's busy calendars.",
            409: "The user has as many busy calendars as a user may have.",
        },
        status=201,
    ),
    Route(
        ("POST",),
        f"{BUSY_CALENDAR}/refresh",
        "RefreshBusyCalendar",
        tag="Calendars",
        summary="Read a busy calendar again",
        description="Has it read again, soon: `refreshed_at` tells when it was.",
        status=202,
        problems={409: "Other requests keep changing the calendar."},
    ),
    Route(
        ("DELETE",),
        BUSY_CALENDAR,
        "RemoveBusyCalendar",
        tag="Calendars",
        summary="Remove a busy calendar",
        description="Removes it with its times.",
        problems={409: "Other requests keep changing the calendar."},
        message="Busy calendar removed successfully",
    ),
    Route(
        ("GET",),
        RECURRENCE_PREVIEW,
        "PreviewRecurrence",
        tag="Recurrence",
        summary="Preview a recurrence",
        description=(
            "Lists when something would come again, from `due_at` or `due_on` on; nothing is"
            " written."
        ),
    ),
    Route(
        ("POST",),
        f"{TASK}/complete",
        "CompleteTask",
        tag="Recurrence",
        summary="Complete a task",
        example={"force": True},
        body_is_optional=True,
        description="Completes an open task; `next` is the next occurrence, if it recurs.",
        problems=CLOSING,
    ),
    Route(
        ("POST",),
        f"{TASK}/skip",
        "SkipOccurrence",
        tag="Recurrence",
        summary="Skip an occurrence",
        description="Cancels the current occurrence of a series; `next` is the next one.",
        problems=CLOSING,
    ),
    Route(
        ("GET",),
        f"{TASK}/series",
        "GetTaskSeries",
        tag="Recurrence",
        summary="Read the series of a task",
        description="Returns the series that the task is part of; null if it does not recur.",
    ),
    Route(
        ("GET",),
        SERIES,
        "GetSeries",
        tag="Recurrence",
        summary="Read a series",
        description="Returns when it comes, in words too, and what comes next.",
    ),
    Route(
        ("PUT",),
        SERIES,
        "UpdateSeries",
        tag="Recurrence",
        summary="Change a series",
        description="Changes when it comes; the current occurrence stays as it is.",
        example={"recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=MO"}},
        problems=SERIES_CHANGES,
    ),
    Route(
        ("DELETE",),
        SERIES,
        "EndSeries",
        tag="Recurrence",
        summary="End a series",
        description="Lets nothing come after the current occurrence, which stays.",
        problems=SERIES_CHANGES,
    ),
    Route(
        ("GET",),
        f"{SERIES}/occurrences",
        "ListOccurrences",
        tag="Recurrence",
        summary="List past occurrences",
        description="Lists what was done, skipped and missed, the latest first.",
    ),
    Route(
        ("POST",),
        f"{PLAN}/preview",
        "PreviewPlan",
        tag="Plans",
        summary="Preview a plan",
        description="Plans the open tasks in the working hours; nothing is written.",
        example=PLAN_EXAMPLE,
        problems=NO_PLAN_TASK,
    ),
    Route(
        ("POST",),
        PLAN,
        "ApplyPlan",
        tag="Plans",
        summary="Apply a plan",
        description=(
            "Writes `planned_start` and `planned_end` of the tasks as the preview has them. It can"
            " be repeated."
        ),
        example={**PLAN_EXAMPLE, "input_hash": PLAN_ID},
        problems={
            **NO_PLAN_TASK,
            409: (
                "The tasks or the settings are others than those of the preview: `added`,"
                " `removed` and `changed` name the tasks."
            ),
        },
    ),
    Route(
        ("POST",),
        f"{PLAN}/undo",
        "UndoPlan",
        tag="Plans",
        summary="Undo a plan",
        description="Plans the tasks as they were before a plan was applied. It can be repeated.",
        example={"plan_id": PLAN_ID},
        problems={404: "No plan of this id was applied within the last 30 days."},
    ),
    Route(
        ("GET",),
        "/api/v1/what-now",
        "AskWhatNow",
        tag="Plans",
        summary="Ask what to do now",
        description=(
            "The task that is under way, or else the most urgent one that is ready and fits, with"
            " reasons and two alternatives."
        ),
    ),
    Route(
        ("POST",),
        f"{TASK}/start",
        "StartTask",
        tag="Work",
        summary="Start a task",
        description="Its timer runs from now on; any other is stopped in the same instant.",
        problems={409: "The task is closed, or other requests keep changing it."},
        body_is_optional=True,
    ),
    Route(
        ("POST",),
        f"{TASK}/stop",
        "StopTask",
        tag="Work",
        summary="Stop a task",
        description="The minutes that its timer has run are spent; at most 12 hours count.",
        problems=TASK_CHANGES,
        body_is_optional=True,
    ),
    Route(
        ("POST",),
        f"{TASK}/time",
        "LogTime",
        tag="Work",
        summary="Log work on a task",
        description="Less than 0 minutes correct what was logged before.",
        example={"minutes": 45, "at": "2030-01-07T10:00:00Z"},
        problems=TASK_CHANGES,
    ),
    Route(
        ("GET",),
        PLANNED_BLOCKS,
        "ListPlannedBlocks",
        tag="Plans",
        summary="List planned blocks",
        description="What is planned between two instants, and what became of what was.",
    ),
    Route(
        ("GET",),
        f"{TASK}/planned-blocks",
        "GetPlannedBlocks",
        tag="Plans",
        summary="List the planned blocks of a task",
    ),
    Route(
        ("PUT", "PATCH"),
        f"{PLANNED_BLOCKS}/<block_id>",
        "UpdatePlannedBlock",
        tag="Plans",
        summary="Move a planned block, pin it, or say what became of it",
        description="Fields that the body lacks stay as they are. What is moved is pinned, too.",
        example={"state": "done"},
        problems=TASK_CHANGES,
    ),
    Route(
        ("GET",),
        ACCESS_TOKENS,
        "ListAccessTokens",
        tag="Accounts",
        summary="List access tokens",
        description="Lists the user's access tokens, the newest first, expired ones included.",
    ),
    Route(
        ("POST",),
        ACCESS_TOKENS,
        "CreateAccessToken",
        tag="Accounts",
        summary="Create an access token",
        description="The answer has its text as `token`; it is shown this once.",
        example={"name": "Home Assistant", "scopes": ["tasks_read"], "tags": ["home"]},
        problems={
            404: "One of `project_ids` is no project of the user.",
            409: "The user has as many access tokens as a user may have.",
        },
        status=201,
    ),
    Route(
        ("DELETE",),
        f"{ACCESS_TOKENS}/<token_id>",
        "RevokeAccessToken",
        tag="Accounts",
        summary="Revoke an access token",
        description="Ends an access token: it is refused within 5 seconds everywhere.",
        problems={409: "Other requests keep changing the user's access tokens."},
        message="Access token revoked successfully",
    ),
    Route(
        ("GET",),
        WEBHOOKS,
        "ListWebhooks",
        tag="Webhooks",
        summary="List webhooks",
    ),
    Route(
        ("POST",),
        WEBHOOKS,
        "CreateWebhook",
        tag="Webhooks",
        summary="Create a webhook",
        description="The answer has the secret that signs; it is shown this once.",
        example=WEBHOOK_EXAMPLE,
        problems={
            404: NO_VIEW_ID,
            409: "The user has as many webhooks as a user may have.",
        },
        status=201,
        location=f"{WEBHOOKS}/{{webhook[webhook_id]}}",
    ),
    Route(
        ("GET",),
        WEBHOOK,
        "GetWebhook",
        tag="Webhooks",
        summary="Read a webhook",
    ),
    Route(
        ("PUT", "PATCH"),
        WEBHOOK,
        "UpdateWebhook",
        tag="Webhooks",
        summary="Change a webhook",
        description=(
            "Changes the fields that the body has. `status` disables it, or enables it again: then"
            " it goes on where it was disabled."
        ),
        example={"status": "enabled"},
        problems=WEBHOOK_CHANGES,
    ),
    Route(
        ("DELETE",),
        WEBHOOK,
        "DeleteWebhook",
        tag="Webhooks",
        summary="Delete a webhook",
        description="Deletes a webhook, and what it has not delivered yet.",
        problems=WEBHOOK_CHANGES,
        message="Webhook deleted successfully",
    ),
    Route(
        ("POST",),
        f"{WEBHOOK}/secret",
        "RotateWebhookSecret",
        tag="Webhooks",
        summary="Give a webhook a new secret",
        description=(
            "Returns the new secret, this once. The old one goes on to sign for 24 hours: both"
            " signatures are sent."
        ),
        problems=WEBHOOK_CHANGES,
    ),
    Route(
        ("POST",),
        f"{WEBHOOK}/test",
        "SendTestEvent",
        tag="Webhooks",
        summary="Send a test event",
        description="Has a test event sent, once, also while the webhook is disabled.",
        status=202,
        problems=TOO_MANY_ASKED_FOR,
    ),
    Route(
        ("GET",),
        f"{WEBHOOK}/deliveries",
        "ListWebhookDeliveries",
        tag="Webhooks",
        summary="List deliveries",
        description="Lists the deliveries of the last days, the newest first.",
    ),
    Route(
        ("POST",),
        "/api/v1/deliveries/<delivery_id>/redeliver",
        "Redeliver",
        tag="Webhooks",
        summary="Deliver a message again",
        description="Has it delivered again, once, also while the webhook is disabled.",
        status=202,
        problems=TOO_MANY_ASKED_FOR,
    ),
)
