// What the page asks the service, by GraphQL alone. The token stays in memory.

const documents = {
  logIn: `mutation ($input: LoginInput!) { login(input: $input) { token refreshToken } }`,
  register: `mutation ($input: RegisterInput!) { register(input: $input) { token refreshToken } }`,
  refresh: `mutation ($input: RefreshTokenInput!) {
    refreshToken(input: $input) { token refreshToken }
  }`,
  logOut: `mutation { logout { endedSessions } }`,
  viewer: `{
    viewer {
      username
      settings {
        timezone daysOff firstWeekday
        workingHours { day intervals { start end } }
        schedules { name tags projectIds workingHours { day intervals { start end } } }
      }
    }
  }`,
  blocks: `query ($from: DateTime!, $to: DateTime!) {
    plannedBlocks(from: $from, to: $to) {
      id start end part parts state pinned reasons { text }
      task { id title priority dueAt dueOn runningSince project { name color } }
    }
  }`,
  places: `query ($from: DateTime!, $to: DateTime!) {
    plannedBlocks(from: $from, to: $to) { id start end state }
  }`,
  now: `{ whatNow { task { id title runningSince } reasons { text } } }`,
  busyTimes: `query ($from: DateTime!, $to: DateTime!, $calendarId: ID) {
    busyTimes(from: $from, to: $to, calendarId: $calendarId) { calendarId start end }
  }`,
  tasks: `query ($ids: [ID!]!) {
    nodes(ids: $ids) { ... on Task { id priority project { name color } } }
  }`,
  estimate: `mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { title } } }`,
  preview: `query ($input: PlanInput!) {
    planPreview(input: $input) {
      inputHash
      blocks { taskId title start end part parts reasons { text } }
      unplaced { taskId title text missingMinutes }
      atRisk { taskId title lateMinutes }
      moved { taskId reason { text } }
      overload { day minutes }
      unestimated { taskId title }
      versions { task version }
    }
  }`,
  apply: `mutation ($input: PlanApplyInput!) {
    planApply(input: $input) { planId applied unchanged conflicts }
  }`,
  undo: `mutation ($input: PlanUndoInput!) {
    planUndo(input: $input) { restored unchanged skipped }
  }`,
  reading: `query ($text: String!) {
    quickAddPreview(text: $text) { spans { start end kind text } ambiguities }
  }`,
  add: `mutation ($input: QuickAddInput!) {
    quickAdd(input: $input) { task { title } quickAdd { ambiguities } }
  }`,
  change: `mutation ($input: UpdatePlannedBlockInput!) {
    updatePlannedBlock(input: $input) { block { id } }
  }`,
  start: `mutation ($input: StartTaskInput!) { startTask(input: $input) { stopped { title } } }`,
  stop: `mutation ($input: StopTaskInput!) { stopTask(input: $input) { task { spentMinutes } } }`,
  calendars: `{ busyCalendars { id name url times refreshedAt lastError } }`,
  addCalendar: `mutation ($input: AddBusyCalendarInput!) {
    addBusyCalendar(input: $input) { busyCalendar { name times } }
  }`,
  removeCalendar: `mutation ($input: BusyCalendarInput!) {
    removeBusyCalendar(input: $input) { removedCalendarId }
  }`,
  settings: `mutation ($input: UpdateSettingsInput!) {
    updateSettings(input: $input) { settings { timezone } }
  }`,
};

let token = null;
let refreshToken = null; // for another token, when that has expired …
let renewal = null; // … which is under way

export class Refused extends Error {
  constructor({ message, extensions = {} }) {
    super(message);
    this.extensions = extensions;
  }
}

export function hold(given) {
  token = given?.token ?? null;
  refreshToken = given?.refreshToken ?? null;
}

// The one root field of a document.
export async function ask(name, variables = {}) {
  try {
    return await send(name, variables);
  } catch (error) {
    if (error.extensions?.code !== "UNAUTHENTICATED" || !refreshToken) throw error;
    renewal ??= renew().finally(() => (renewal = null));
    await renewal;
    return send(name, variables);
  }
}

async function renew() {
  token = null;
  hold(await send("refresh", { input: { refreshToken } }));
}

async function send(name, variables) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query: documents[name], variables });
  const answer = await fetch("/graphql", { method: "POST", headers, body });
  const { data, errors } = await answer.json();
  if (errors) throw new Refused(errors[0]);
  return Object.values(data)[0];
}
