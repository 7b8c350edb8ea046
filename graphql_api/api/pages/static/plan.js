// The plan of the person who is signed in, by GraphQL alone. The token stays in memory.

const LOGIN = `mutation LogIn($input: LoginInput!) { login(input: $input) { token } }`;
const LOGOUT = `mutation LogOut { logout { endedSessions } }`;
const VIEWER = `query Viewer { viewer { username settings { timezone } } }`;
const PREVIEW = `query Preview($input: PlanInput!) {
  planPreview(input: $input) {
    inputHash
    blocks { taskId title start end part parts reasons { text } }
    unplaced { taskId title text missingMinutes }
    atRisk { taskId title lateMinutes }
    unestimated { taskId title }
    versions { task version }
  }
}`;
const APPLY = `mutation Apply($input: PlanApplyInput!) {
  planApply(input: $input) { planId applied unchanged conflicts }
}`;
const UNDO = `mutation Undo($input: PlanUndoInput!) {
  planUndo(input: $input) { restored unchanged skipped }
}`;

const DAY = 24 * 60; // minutes
const WORKDAY = [9 * 60, 17 * 60]; // what a week shows at least
const MOST_VERSIONS = 800; // more would not fit into a request's body

const at = (id) => document.getElementById(id);

let token = null;
let zone = "UTC";
let shown = null; // the plan that is shown: { input, plan }
let appliedId = null; // of the plan that Undo takes back
let monday = null; // the week that is shown, as a date

class Refused extends Error {
  constructor({ message, extensions = {} }) {
    super(message);
    this.extensions = extensions;
  }
}

async function ask(query, variables = {}) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables });
  const answer = await fetch("/graphql", { method: "POST", headers, body });
  const { data, errors } = await answer.json();
  if (errors) throw new Refused(errors[0]);
  return data;
}

// Times: instants in the zone of the user's settings. A day is an ISO date.

function local(instant) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  });
  const parts = Object.fromEntries(format.formatToParts(instant).map((p) => [p.type, p.value]));
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    minute: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

function clock(minute) {
  const text = (number) => String(number).padStart(2, "0");
  return `${text(Math.floor(minute / 60) % 24)}:${text(minute % 60)}`;
}

const wall = ({ day, minute }) => Date.parse(`${day}T${clock(minute)}:00Z`);

// The instant at which the clocks of the zone show a time: twice, since the first guess may be on
// the other side of a change of the clocks.
function instantOf(day, minute) {
  const wanted = wall({ day, minute });
  let guess = wanted;
  for (let time = 0; time < 2; time += 1) guess += wanted - wall(local(new Date(guess)));
  return new Date(guess);
}

function plusDays(day, count) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY * 60_000).toISOString().slice(0, 10);
}

function mondayOf(day) {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

function named(day, options) {
  return new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options }).format(new Date(day));
}

function length(minutes) {
  const units = [[Math.floor(minutes / DAY), "d"], [Math.floor((minutes % DAY) / 60), "h"]];
  const parts = [...units, [minutes % 60, "min"]].filter(([count]) => count);
  return parts.map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 min";
}

// Blocks: what of them is on which day.

function segments(block) {
  const start = local(new Date(block.start));
  const end = local(new Date(block.end));
  const found = [];
  for (let day = start.day; day <= end.day; day = plusDays(day, 1)) {
    const from = day === start.day ? start.minute : 0;
    const until = day === end.day ? end.minute : DAY;
    if (until > 0 || day === start.day) found.push({ block, day, from, until });
  }
  return found;
}

function span({ block }) {
  const [start, end] = [local(new Date(block.start)), local(new Date(block.end))];
  return `${clock(start.minute)}–${clock(end.minute)}`;
}

// The page

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  made.append(...[content].flat());
  Object.assign(made, attributes);
  return made;
}

function say(text) {
  at("status").textContent = text;
}

function fill(id, items, none) {
  at(id).replaceChildren(...(items.length ? items : [none]).map((item) => element("li", item)));
}

function showPlan() {
  const { plan } = shown;
  const missing = (task) => (task.missingMinutes ? ` Missing: ${length(task.missingMinutes)}.` : "");
  fill("unplaced", plan.unplaced.map((task) => `${task.title}: ${task.text}${missing(task)}`), "Nothing.");
  const late = ({ title, lateMinutes }) => `${title}: ${length(lateMinutes)} late.`;
  fill("at-risk", plan.atRisk.map(late), "Nothing.");
  fill("unestimated", plan.unestimated.map((task) => task.title), "Nothing.");
  at("apply").disabled = false;
  showWeek();
}

function showWeek() {
  const days = [...Array(7).keys()].map((number) => plusDays(monday, number));
  const visible = shown.plan.blocks.flatMap(segments).filter(({ day }) => days.includes(day));
  const first = Math.min(WORKDAY[0], ...visible.map(({ from }) => from));
  const last = Math.max(WORKDAY[1], ...visible.map(({ until }) => until));
  const hours = [Math.floor(first / 60), Math.ceil(last / 60)];
  const title = named(monday, { dateStyle: "long" });
  at("week-title").textContent = `Week of ${title}`;
  at("zone").textContent = `Times are by the clocks of ${zone}.`;
  at("week").replaceChildren(...days.map((day) => column(day, visible, hours)));
  at("week").style.setProperty("--hours", hours[1] - hours[0]);
}

function column(day, visible, hours) {
  const heading = element("h3", named(day, { weekday: "short", day: "numeric", month: "short" }));
  const mine = visible.filter((segment) => segment.day === day);
  const blocks = mine.map((segment) => element("li", button(segment, hours)));
  const list = element("ol", blocks.length ? blocks : element("li", "Free", { className: "free" }));
  return element("section", [heading, list], { className: "day" });
}

function button(segment, hours) {
  const { block } = segment;
  const part = block.parts > 1 ? ` (part ${block.part} of ${block.parts})` : "";
  const why = block.reasons.map(({ text }) => text).join(" ");
  const made = element(
    "button",
    [
      element("span", span(segment), { className: "time" }),
      ` ${block.title}${part} `,
      element("span", why, { className: "for-readers" }),
    ],
    { type: "button", className: "block", title: why },
  );
  const top = segment.from / 60 - hours[0];
  made.style.setProperty("--top", top);
  made.style.setProperty("--length", (segment.until - segment.from) / 60);
  made.addEventListener("focus", () => showDetails(segment, part));
  return made;
}

function showDetails(segment, part) {
  const { block } = segment;
  const what = `${named(segment.day, { weekday: "long" })}, ${span(segment)}: ${block.title}${part}`;
  const reasons = block.reasons.map(({ text }) => element("li", text));
  at("details").replaceChildren(element("p", what), element("ul", reasons));
}

// Up and down go within a day, left and right to the nearest day that has blocks.
function move(event) {
  const here = event.target.closest(".block");
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (!here || !step) return;
  event.preventDefault();
  const days = [...document.querySelectorAll(".day")].map((d) => [...d.querySelectorAll(".block")]);
  const busy = days.filter((blocks) => blocks.length);
  const day = busy.findIndex((blocks) => blocks.includes(here));
  const place = busy[day].indexOf(here);
  const beside = busy[day + step] ?? [];
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const next = sideways ? beside[Math.min(place, beside.length - 1)] : busy[day][place + step];
  next?.focus();
}

// What the buttons do

async function signIn() {
  token = at("token").value.trim().replace(/^Bearer /, "") || null;
  if (!token) {
    const input = { username: at("username").value, password: at("password").value };
    token = (await ask(LOGIN, { input })).login.token;
  }
  const { viewer } = await ask(VIEWER);
  zone = viewer.settings.timezone;
  at("sign-in").reset();
  const now = local(new Date());
  at("from").value = `${now.day}T${clock(now.minute)}`;
  show(true);
  await preview(`Signed in as ${viewer.username}. `);
  at("preview").focus();
}

async function signOut() {
  await ask(LOGOUT).catch(() => {}); // whatever the service says, nobody is signed in here
  forget("Signed out.");
}

function forget(text) {
  [token, shown, appliedId] = [null, null, null];
  for (const id of ["week", "unplaced", "at-risk", "unestimated", "details"]) at(id).replaceChildren();
  at("undo").disabled = true;
  show(false);
  say(text);
  at("username").focus();
}

function show(signedIn) {
  at("sign-in").hidden = signedIn;
  at("planner").hidden = !signedIn;
  at("sign-out").hidden = !signedIn;
}

// Shows that a plan is being made, and for how long, if that takes over a second.
async function showProgress(work) {
  const tasks = shown ? `${shown.plan.versions.length} tasks` : "tasks";
  const begun = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    at("elapsed").textContent = `Planning ${tasks} … ${seconds} s`;
    at("progress").hidden = false;
  }, 1000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    at("progress").hidden = true;
  }
}

async function preview(before = "") {
  const [day, time] = at("from").value.split("T");
  const [hour, minute] = time.split(":").map(Number);
  const input = {
    from: instantOf(day, hour * 60 + minute).toISOString(),
    horizonDays: Number(at("days").value),
    keepCurrent: at("keep").checked,
  };
  const { planPreview: plan } = await showProgress(ask(PREVIEW, { input }));
  shown = { input, plan };
  const first = plan.blocks.length ? local(new Date(plan.blocks[0].start)).day : day;
  monday = mondayOf(first);
  showPlan();
  const count = new Set(plan.blocks.map(({ taskId }) => taskId)).size;
  const others = `without a place: ${plan.unplaced.length}, at risk: ${plan.atRisk.length}.`;
  say(`${before}Previewed. Tasks planned: ${count}, ${others}`);
}

async function apply() {
  const { input, plan } = shown;
  const versions = plan.versions.length <= MOST_VERSIONS ? plan.versions : null;
  try {
    const variables = { input: { ...input, inputHash: plan.inputHash, versions } };
    const { planApply: done } = await showProgress(ask(APPLY, variables));
    appliedId = done.planId;
    at("undo").disabled = false;
    say(
      `Applied. Tasks set: ${done.applied.length}, as they were: ${done.unchanged.length},` +
        ` changed meanwhile: ${done.conflicts.length}.`,
    );
  } catch (error) {
    if (error.extensions?.code !== "CONFLICT") throw error;
    const { added = [], removed = [], changed = [] } = error.extensions;
    const what = `added: ${added.length}, removed: ${removed.length}, changed: ${changed.length}`;
    await preview(`Not applied: the plan was out of date. Tasks ${what}. `);
  }
}

async function undo() {
  const { planUndo: done } = await ask(UNDO, { input: { planId: appliedId } });
  appliedId = null;
  at("undo").disabled = true;
  say(`Undone. Tasks restored: ${done.restored.length}, changed since: ${done.skipped.length}.`);
}

function turn(weeks) {
  monday = plusDays(monday, weeks * 7);
  showWeek();
  say(`${at("week-title").textContent}.`);
}

// One thing at a time, and what goes wrong is said.
let busy = false;
function on(id, event, act) {
  at(id).addEventListener(event, async (given) => {
    given.preventDefault();
    if (busy) return;
    busy = true;
    try {
      await act();
    } catch (error) {
      const ended = error.extensions?.code === "UNAUTHENTICATED";
      if (ended) forget(error.message);
      else say(error instanceof Refused ? error.message : "The service cannot be reached.");
    } finally {
      busy = false;
    }
  });
}

on("sign-in", "submit", signIn);
on("sign-out", "click", signOut);
on("options", "submit", () => preview());
on("apply", "click", apply);
on("undo", "click", undo);
on("earlier", "click", () => turn(-1));
on("later", "click", () => turn(1));
at("week").addEventListener("keydown", move);
