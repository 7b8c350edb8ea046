// The page of what is planned: seen, worked through, and planned anew.

import * as calendars from "./calendars.js";
import { readAlong } from "./line.js";
import { moves } from "./moves.js";
import { ask, hold } from "./service.js";
import * as settings from "./settings.js";
import * as time from "./time.js";
import { classesOf, dot, draw, element, marksOf, titleOf, workOn } from "./week.js";

const MOST_VERSIONS = 800; // more would not fit into a request's body
const MOST_NODES = 100; // that the service answers at a time
const NONE = { blocks: [], unplaced: [], atRisk: [], overload: [], unestimated: [] };

const at = (id) => document.getElementById(id);
const isPhone = matchMedia("(max-width: 48rem)"); // where there is room for a day

let weeks = []; // of hours: the working hours, and the schedules with their names
let daysOff = []; // as ISO dates
let shown = { day: null, count: 7 }; // the first day, and how many
let blocks = []; // that are planned on these days
let busy = []; // the times that calendars take on these days
let draft = null; // the plan that is previewed: { input, plan }
let appliedId = null; // of the plan that Undo takes back
let suggested = null; // the task that could be done now, or is under way
let chosen = null; // the id of the block that keys and buttons are for

function say(text) {
  at("status").textContent = text;
}

function fill(id, items, none) {
  at(id).replaceChildren(...(items.length ? items : [none]).map((item) => element("li", item)));
}

// What is shown

const days = () => Array.from({ length: shown.count }, (_, number) => time.plusDays(shown.day, number));

function range() {
  const [from, to] = [shown.day, time.plusDays(shown.day, shown.count)];
  return { from: time.instantOf(from, 0).toISOString(), to: time.instantOf(to, 0).toISOString() };
}

function asItem({ task, ...block }) {
  const due = task.dueAt ?? (task.dueOn && time.instantOf(time.plusDays(task.dueOn, 1), 0).toISOString());
  const late = Boolean(due) && Date.parse(block.end) > Date.parse(due);
  const { id: taskId, title, priority, project, runningSince: running } = task;
  return { ...block, taskId, title, priority, project, running, late };
}

async function load() {
  const asked = [ask("blocks", range()), calendars.busyTimes(range()), ask("now")];
  const [planned, times, { task, reasons }] = await Promise.all(asked);
  blocks = planned.map(asItem);
  busy = times;
  if (draft) draft.items = await drafted(draft.plan);
  suggested = task;
  at("now").textContent = `${task ? `${task.title}. ` : ""}${reasons.map(({ text }) => text).join(" ")}`;
  at("begin").disabled = !task;
  at("begin").textContent = task?.runningSince ? "Stop it" : "Start it";
  show();
}

const isShown = (item) => time.byDay(item).some(({ day }) => days().includes(day));

// The blocks of the plan that is previewed, with the colours of their tasks on the days that are shown.
async function drafted(plan) {
  const ids = new Set(plan.blocks.filter(isShown).map(({ taskId }) => taskId));
  const tasks = ids.size ? await ask("tasks", { ids: [...ids].slice(0, MOST_NODES) }) : [];
  const known = new Map(tasks.filter(Boolean).map((task) => [task.id, task]));
  const late = new Set(plan.atRisk.map(({ taskId }) => taskId));
  return plan.blocks.map((block, number) => ({
    ...known.get(block.taskId),
    ...block,
    id: `draft ${number}`,
    draft: true,
    late: late.has(block.taskId),
  }));
}

const items = () => draft?.items ?? blocks;

function show() {
  keepingFocus(at("week"), drawWeek);
  keepingFocus(at("agenda"), list);
  const first = time.named(shown.day, { dateStyle: "long" });
  const what = draft ? "Preview" : "Planned";
  at("week-title").textContent = `${what}: ${shown.count > 1 ? `week of ${first}` : first}`;
  showDetails();
}

function keepingFocus(place, redraw) {
  const focused = place.contains(document.activeElement) && document.activeElement.dataset.block;
  redraw();
  if (focused) place.querySelector(`[data-block="${focused}"]`)?.focus();
}

function drawWeek() {
  const worked = days().filter((day) => !daysOff.includes(day));
  const open = weeks.flatMap((week) => workOn(worked, week, time.instantOf));
  draw(at("week"), { days: days(), blocks: items(), open, busy });
}

function list() {
  const lines = items().filter(isShown).map((item) => {
    const marks = marksOf(item).map((mark) => element("span", mark, { className: `mark ${mark}` }));
    const made = element("button", [`${time.moment(item)} ${titleOf(item)} `, ...marks, ...projectOf(item)], {
      type: "button",
      className: `${classesOf(item)} line`,
    });
    made.dataset.block = item.id;
    return element("li", made);
  });
  const none = element("li", "Nothing is planned. Add tasks, and preview a plan.");
  at("agenda").replaceChildren(...(lines.length ? lines : [none]));
}

const projectOf = ({ project }) => (project ? [dot(project.color), project.name] : []);

function showDetails() {
  const item = items().find(({ id }) => id === chosen);
  for (const id of ["done", "start", "pin", "miss"]) at(id).disabled = !item || Boolean(item.draft);
  at("move").hidden = !item || Boolean(item.draft);
  if (!item) {
    at("details").replaceChildren(element("p", "Choose one: arrow keys go from one to the next."));
    return;
  }
  at("move-to").value = time.toField(new Date(item.start));
  const marks = marksOf(item);
  const what = `${time.moment(item)}: ${titleOf(item)}${marks.length ? ` (${marks.join(", ")})` : ""}`;
  const reasons = item.reasons.map(({ text }) => element("li", text));
  const placed = reasons.length ? reasons : [element("li", "It was put there by hand.")];
  at("details").replaceChildren(element("p", what), element("ul", placed));
}

function showDraft(before = []) {
  const plan = draft?.plan ?? NONE;
  const missing = (task) => (task.missingMinutes ? ` Missing: ${time.length(task.missingMinutes)}.` : "");
  fill("moves", draft ? moves(before, plan) : [], draft ? "Nothing." : "Preview a plan to see.");
  fill("unplaced", plan.unplaced.map((task) => `${task.title}: ${task.text}${missing(task)}`), "Nothing.");
  const late = ({ title, lateMinutes }) => `${title}: ${time.length(lateMinutes)} late.`;
  fill("at-risk", plan.atRisk.map(late), "Nothing.");
  const full = ({ day, minutes }) =>
    `${time.named(day, { weekday: "short", day: "numeric", month: "short" })}: ${time.length(minutes)} too much.`;
  fill("overload", plan.overload.map(full), "Nothing.");
  fill("unestimated", plan.unestimated.map(estimator), "Nothing.");
  at("draft").hidden = !draft;
  at("apply").disabled = at("discard").disabled = !draft;
}

// A line for a task without a duration, in which it is given one.
function estimator({ taskId, title }) {
  const minutes = element("input", [], { type: "number", min: 1, max: 14400, required: true });
  minutes.setAttribute("aria-label", `Minutes for ${title}`);
  const form = element("form", [`${title} `, minutes, " minutes ", element("button", "Set")]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => estimate(taskId, Number(minutes.value)));
  });
  return form;
}

// Up and down go within a day or through the list, left and right to the nearest day that has blocks.
function walk(event) {
  const here = event.target.closest(".block");
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (!here || !step) return;
  event.preventDefault();
  const drawn = [...event.currentTarget.querySelectorAll(".day")];
  const columns = (drawn.length ? drawn : [event.currentTarget]).map((d) => [...d.querySelectorAll(".block")]);
  const taken = columns.filter((column) => column.length);
  const day = taken.findIndex((column) => column.includes(here));
  const place = taken[day].indexOf(here);
  const beside = taken[day + step] ?? [];
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const next = sideways ? beside[Math.min(place, beside.length - 1)] : taken[day][place + step];
  next?.focus();
}

function choose(event) {
  const block = event.target.closest(".block");
  if (!block) return;
  chosen = block.dataset.block;
  showDetails();
}

// What people do

async function signIn(account = "logIn") {
  const given = at("token").value.trim().replace(/^Bearer /, "");
  const input = { username: at("username").value, password: at("password").value };
  hold(given ? { token: given } : await ask(account, { input }));
  if (account === "register" && !given) await liveHere();
  const { username, settings: known } = await ask("viewer");
  at("sign-in").reset();
  reveal(true);
  adopt(known);
  await listCalendars();
  await load();
  say(`Signed in as ${username}.`);
  at("preview").focus();
}

// Takes the browser's time zone for a new person's, if the service knows it.
async function liveHere() {
  const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
  await ask("settings", { input: { timezone } }).catch(() => {});
}

// Takes over the settings of the person: their clocks tell when today is.
function adopt(known) {
  time.live(known);
  weeks = [known, ...known.schedules];
  daysOff = known.daysOff;
  settings.fill(known);
  at("zone").textContent = `Times are by the clocks of ${known.timezone}; working hours are light.`;
  at("from").value = time.toField(new Date());
  const day = time.today();
  shown = isPhone.matches ? { day, count: 1 } : { day: time.weekOf(day), count: 7 };
  showDraft();
}

async function signOut() {
  await ask("logOut").catch(() => {}); // whatever the service says, nobody is signed in here
  forget("Signed out.");
}

function forget(text) {
  hold(null);
  [blocks, busy, draft, appliedId, suggested, chosen] = [[], [], null, null, null, null];
  shown = { day: null, count: 7 };
  calendars.forget();
  const lists = ["week", "agenda", "moves", "unplaced", "at-risk", "overload", "unestimated", "busy", "calendars", "reading"];
  for (const id of ["add", "calendar", "take", "move", "settings"]) at(id).reset();
  for (const id of [...lists, "now", "hours", "schedules", "details"]) at(id).replaceChildren();
  at("undo").disabled = true;
  reveal(false);
  say(text);
  at("username").focus();
}

function reveal(signedIn) {
  at("sign-in").hidden = signedIn;
  at("planner").hidden = !signedIn;
  at("sign-out").hidden = !signedIn;
}

// Shows that a plan is being made, and for how long, if that takes over a second.
async function showProgress(work) {
  const tasks = draft ? `${draft.plan.versions.length} tasks` : "tasks";
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
  const begins = time.fromField(at("from").value);
  const horizonDays = Number(at("days").value);
  const input = {
    from: begins.toISOString(),
    horizonDays,
    keepCurrent: at("keep").checked,
    partial: at("partial").checked,
    ...bounds(),
  };
  const to = new Date(begins.getTime() + horizonDays * time.DAY * 60_000).toISOString();
  const places = await ask("places", { from: input.from, to });
  const plan = await showProgress(ask("preview", { input }));
  draft = { input, plan, items: [] };
  if (plan.blocks.length) shown.day = firstDay(plan.blocks[0]);
  showDraft(places.filter(({ state }) => state === "PLANNED" || state === "STARTED"));
  await load();
  const count = new Set(plan.blocks.map(({ taskId }) => taskId)).size;
  const others = `without a place: ${plan.unplaced.length}, at risk: ${plan.atRisk.length}.`;
  say(`${before}Previewed, nothing is written yet. Tasks planned: ${count}, ${others}`);
}

// What bounds the moves of a plan, as far as it is given.
function bounds() {
  const [before, moves] = ["freeze", "most-moves"].map((id) => at(id).value);
  return {
    ...(before && { freezeUntil: time.fromField(before).toISOString() }),
    ...(moves && { maxMoves: Number(moves) }),
  };
}

function firstDay({ start }) {
  const { day } = time.local(new Date(start));
  return shown.count > 1 ? time.weekOf(day) : day;
}

async function discard() {
  draft = null;
  showDraft();
  await load();
  say("Discarded.");
}

async function apply() {
  const { input, plan } = draft;
  const versions = plan.versions.length <= MOST_VERSIONS ? plan.versions : null;
  try {
    const variables = { input: { ...input, inputHash: plan.inputHash, versions } };
    const done = await showProgress(ask("apply", variables));
    appliedId = done.planId;
    at("undo").disabled = false;
    draft = null;
    showDraft();
    await load();
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
  const done = await ask("undo", { input: { planId: appliedId } });
  appliedId = null;
  at("undo").disabled = true;
  await load();
  say(`Undone. Tasks restored: ${done.restored.length}, changed since: ${done.skipped.length}.`);
}

async function turn(day, count = shown.count) {
  shown = { day, count };
  await load();
  say(`${at("week-title").textContent}.`);
}

const actions = {
  done: async ({ id, state }) => {
    await ask("change", { input: { id, state: state === "DONE" ? "PLANNED" : "DONE" } });
    return state === "DONE" ? "not done" : "done";
  },
  miss: async ({ id, state }) => {
    await ask("change", { input: { id, state: state === "MISSED" ? "PLANNED" : "MISSED" } });
    return state === "MISSED" ? "not missed" : "missed: the next plan finds another time";
  },
  pin: async ({ id, pinned }) => {
    await ask("change", { input: { id, pinned: !pinned } });
    return pinned ? "not pinned" : "pinned";
  },
  start: async ({ taskId, running }) => {
    await ask(running ? "stop" : "start", { input: { id: taskId } });
    return running ? "stopped" : "started";
  },
};

async function act(name) {
  const item = blocks.find(({ id }) => id === chosen);
  if (!item || draft) return;
  const what = await actions[name](item);
  await load();
  say(`“${item.title}” is ${what}.`);
}

async function begin() {
  const { id, title, runningSince } = suggested;
  await ask(runningSince ? "stop" : "start", { input: { id } });
  await load();
  say(`“${title}” is ${runningSince ? "stopped" : "started"}.`);
}

async function move() {
  const item = blocks.find(({ id }) => id === chosen);
  const start = time.fromField(at("move-to").value).toISOString();
  await ask("change", { input: { id: item.id, start } });
  await load();
  say(`“${item.title}” is moved, and pinned.`);
}

async function estimate(id, durationMinutes) {
  const { task } = await ask("estimate", { input: { id, durationMinutes } });
  await preview(`“${task.title}” takes ${time.length(durationMinutes)}. `);
}

async function add() {
  const { task, quickAdd } = await ask("add", { input: { text: at("line").value } });
  at("add").reset();
  at("reading").replaceChildren();
  await load();
  say([`“${task.title}” is added.`, ...quickAdd.ambiguities].join(" "));
  at("line").focus();
}

async function take() {
  const [start, end] = ["busy-from", "busy-until"].map((id) => time.fromField(at(id).value));
  await calendars.keepFree(start, end);
  at("take").reset();
  await listCalendars();
  await load();
  say("The busy time is kept: the next preview keeps it free.");
}

const listCalendars = () => calendars.list(removeCalendar, giveBack);

async function addCalendar() {
  const { name, times } = await calendars.add();
  await listCalendars();
  await load();
  say(`“${name}” is added, with ${times} busy times: the next preview keeps them free.`);
}

function removeCalendar({ id, name }) {
  run(async () => {
    await ask("removeCalendar", { input: { id } });
    await listCalendars();
    await load();
    say(`“${name}” is removed.`);
  });
}

function giveBack(busyTime) {
  run(async () => {
    await calendars.giveBack(busyTime);
    await listCalendars();
    await load();
    say("The busy time is removed.");
  });
}

async function save() {
  await ask("settings", { input: settings.read() });
  const { settings: known } = await ask("viewer");
  adopt(known);
  await load();
  say("Saved.");
}

// One thing at a time, what was asked for last after it, and what goes wrong is said.
let working = false;
let next = null;

async function run(deed) {
  next = deed;
  if (working) return;
  working = true;
  while (next) {
    const current = next;
    next = null;
    await current().catch(complain);
  }
  working = false;
}

function complain(error) {
  if (error.extensions?.code === "UNAUTHENTICATED") forget(error.message);
  else say(error instanceof TypeError ? "The service cannot be reached." : error.message);
}

function on(id, event, deed) {
  at(id).addEventListener(event, (given) => {
    given.preventDefault();
    run(deed);
  });
}

on("sign-in", "submit", () => signIn());
on("sign-up", "click", () => signIn("register"));
on("sign-out", "click", signOut);
on("begin", "click", begin);
on("add", "submit", add);
readAlong(at("line"), at("reading"));
on("options", "submit", () => preview());
// A field cannot tell what it lacks while it is folded away.
at("options").addEventListener("invalid", () => (at("bounds").open = true), true);
on("apply", "click", apply);
on("discard", "click", discard);
on("undo", "click", undo);
on("take", "submit", take);
on("move", "submit", move);
on("calendar", "submit", addCalendar);
on("settings", "submit", save);
at("add-schedule").addEventListener("click", () => settings.addSchedule().focus());
on("earlier", "click", () => turn(time.plusDays(shown.day, -shown.count)));
on("later", "click", () => turn(time.plusDays(shown.day, shown.count)));
on("today", "click", () => turn(time.today(), 1));
on("this-week", "click", () => turn(time.weekOf(time.today()), 7));
for (const name of Object.keys(actions)) on(name, "click", () => act(name));

const KEYS = { d: "done", s: "start", p: "pin", m: "miss" };
for (const place of ["week", "agenda"]) {
  at(place).addEventListener("focusin", choose);
  at(place).addEventListener("keydown", (event) => {
    walk(event);
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    if (plain && KEYS[event.key] && event.target.closest(".block")) run(() => act(KEYS[event.key]));
  });
}

const MINUTE = 60_000; // milliseconds, after which the line of the present is drawn again
setInterval(() => shown.day && keepingFocus(at("week"), drawWeek), MINUTE);
