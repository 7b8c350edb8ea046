// What the page asks the service, by GraphQL alone. The token stays in memory.

const documents = {
  logIn: `mutation ($input: LoginInput!) { login(input: $input) { token } }`,
  register: `mutation ($input: RegisterInput!) { register(input: $input) { token } }`,
  logOut: `mutation { logout { endedSessions } }`,
  viewer: `{
    viewer { username settings { timezone workingHours { day intervals { start end } } } }
  }`,
  blocks: `query ($from: DateTime!, $to: DateTime!) {
    plannedBlocks(from: $from, to: $to) {
      id start end part parts state pinned reasons { text }
      task { id title priority dueAt dueOn runningSince }
    }
  }`,
  places: `query ($from: DateTime!, $to: DateTime!) {
    plannedBlocks(from: $from, to: $to) { id start end state }
  }`,
  now: `{ whatNow { task { id title runningSince } reasons { text } } }`,
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
  calendars: `{ busyCalendars { id name times refreshedAt lastError } }`,
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

export class Refused extends Error {
  constructor({ message, extensions = {} }) {
    super(message);
    this.extensions = extensions;
  }
}

export function hold(given) {
  token = given;
}

// The one root field of a document.
export async function ask(name, variables = {}) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query: documents[name], variables });
  const answer = await fetch("/graphql", { method: "POST", headers, body });
  const { data, errors } = await answer.json();
  if (errors) throw new Refused(errors[0]);
  return Object.values(data)[0];
}
