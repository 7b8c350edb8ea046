// The page of what is planned: seen, worked through, and planned anew.

import * as calendars from "./calendars.js";
import { readAlong } from "./line.js";
import { moves } from "./moves.js";
import { ask, hold } from "./service.js";
import * as settings from "./settings.js";
import * as time from "./time.js";
import { classesOf, draw, element, marksOf, titleOf, workOn } from "./week.js";

const MOST_VERSIONS = 800; // more would not fit into a request's body
const NONE = { blocks: [], unplaced: [], atRisk: [], overload: [], unestimated: [] };

const at = (id) => document.getElementById(id);

let hours = []; // of work, as the settings have them
let shown = { day: null, count: 7 }; // the first day, and how many
let blocks = []; // that are planned on these days
let busy = []; // what the person has told of their calendar
let draft = null; // the plan that is previewed: { input, plan }
let appliedId = null; // of the plan that Undo takes back
let suggested = null; // the task that could be done now
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
  return { ...block, title: task.title, priority: task.priority, running: task.runningSince, taskId: task.id, late };
}

async function load() {
  blocks = (await ask("blocks", range())).map(asItem);
  const { task, reasons } = await ask("now");
  suggested = task;
  at("now").textContent = `${task ? `${task.title}. ` : ""}${reasons.map(({ text }) => text).join(" ")}`;
  at("begin").disabled = !task || Boolean(task.runningSince);
  show();
}

function items() {
  if (!draft) return blocks;
  const late = new Set(draft.plan.atRisk.map(({ taskId }) => taskId));
  return draft.plan.blocks.map((block, number) => ({
    ...block,
    id: `draft ${number}`,
    draft: true,
    late: late.has(block.taskId),
  }));
}

function show() {
  const focused = document.activeElement?.closest?.(".block")?.dataset.block;
  const within = new Set(days());
  draw(at("week"), { days: days(), blocks: items(), open: workOn(days(), hours, time.instantOf), busy });
  const listed = items().filter((item) => time.byDay(item).some(({ day }) => within.has(day)));
  const lines = listed.map((item) => {
    const marks = marksOf(item).map((mark) => element("span", mark, { className: `mark ${mark}` }));
    const made = element("button", [`${time.moment(item)} ${titleOf(item)} `, ...marks], {
      type: "button",
      className: `${classesOf(item)} line`,
    });
    made.dataset.block = item.id;
    return element("li", made);
  });
  at("agenda").replaceChildren(...(lines.length ? lines : [element("li", "Nothing is planned.")]));
  const first = time.named(shown.day, { dateStyle: "long" });
  const what = draft ? "Preview" : "Planned";
  at("week-title").textContent = `${what}: ${shown.count > 1 ? `week of ${first}` : first}`;
  at("week").querySelector(`[data-block="${focused}"]`)?.focus();
  showDetails();
}

function showDetails() {
  const item = items().find(({ id }) => id === chosen);
  for (const id of ["done", "start", "pin", "miss"]) at(id).disabled = !item || Boolean(item.draft);
  if (!item) return;
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
  fill("unestimated", plan.unestimated.map((task) => task.title), "Nothing.");
  at("apply").disabled = at("discard").disabled = !draft;
}

function showBusy() {
  const lines = busy.map((each) => {
    const remove = element("button", "Remove", { type: "button" });
    remove.addEventListener("click", () => {
      busy = busy.filter((other) => other !== each);
      showBusy();
      show();
    });
    return [`${time.moment(each)} `, remove];
  });
  fill("busy", lines, "Nothing.");
}

// Up and down go within a day, left and right to the nearest day that has blocks.
function walk(event) {
  const here = event.target.closest(".block");
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (!here || !step) return;
  event.preventDefault();
  const columns = [...document.querySelectorAll(".day")].map((d) => [...d.querySelectorAll(".block")]);
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
  hold(given || (await ask(account, { input })).token);
  const { username, settings: known } = await ask("viewer");
  at("sign-in").reset();
  reveal(true);
  adopt(known);
  await load();
  await calendars.list(removeCalendar);
  say(`Signed in as ${username}.`);
  at("preview").focus();
}

// Takes over the settings of the person: their clocks tell when today is.
function adopt(known) {
  time.live(known.timezone);
  hours = known.workingHours;
  settings.fill(known);
  at("zone").textContent = `Times are by the clocks of ${known.timezone}; working hours are light.`;
  at("from").value = time.toField(new Date());
  shown = { day: time.mondayOf(time.today()), count: 7 };
  showBusy();
  showDraft();
}

async function signOut() {
  await ask("logOut").catch(() => {}); // whatever the service says, nobody is signed in here
  forget("Signed out.");
}

function forget(text) {
  hold(null);
  [blocks, busy, draft, appliedId, suggested, chosen] = [[], [], null, null, null, null];
  const lists = ["week", "agenda", "moves", "unplaced", "at-risk", "overload", "unestimated", "busy", "calendars", "reading"];
  for (const id of ["add", "calendar"]) at(id).reset();
  for (const id of [...lists, "now", "hours"]) at(id).replaceChildren();
  at("details").replaceChildren(element("p", "Choose one: arrow keys go from one to the next."));
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
    busy: busy.map(({ start, end }) => ({ start: start.toISOString(), end: end.toISOString() })),
  };
  const to = new Date(begins.getTime() + horizonDays * time.DAY * 60_000).toISOString();
  const places = await ask("places", { from: input.from, to });
  const plan = await showProgress(ask("preview", { input }));
  draft = { input, plan };
  if (plan.blocks.length) shown.day = firstDay(plan.blocks[0]);
  showDraft(places.filter(({ state }) => state === "PLANNED" || state === "STARTED"));
  show();
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
  return shown.count > 1 ? time.mondayOf(day) : day;
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
  await ask("start", { input: { id: suggested.id } });
  await load();
  say(`“${suggested.title}” is started.`);
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
  if (end <= start) throw new Error("A busy time must end after it begins.");
  busy.push({ start, end });
  at("take").reset();
  showBusy();
  show();
  say("The busy time is taken into the next preview.");
}

async function addCalendar() {
  const { name, times } = await calendars.add();
  await calendars.list(removeCalendar);
  say(`“${name}” is added, with ${times} busy times: the next preview keeps them free.`);
}

function removeCalendar({ id, name }) {
  run(async () => {
    await ask("removeCalendar", { input: { id } });
    await calendars.list(removeCalendar);
    say(`“${name}” is removed.`);
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
on("apply", "click", apply);
on("discard", "click", discard);
on("undo", "click", undo);
on("take", "submit", take);
on("calendar", "submit", addCalendar);
on("settings", "submit", save);
on("earlier", "click", () => turn(time.plusDays(shown.day, -shown.count)));
on("later", "click", () => turn(time.plusDays(shown.day, shown.count)));
on("today", "click", () => turn(time.today(), 1));
on("this-week", "click", () => turn(time.mondayOf(time.today()), 7));
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
