// What plans keep free: calendars, from a file or an address, and times that are typed here. These
// are a calendar of their own, which is written anew with each change.

import { ask } from "./service.js";
import { DAY, moment } from "./time.js";
import { element } from "./week.js";

const TYPED = "Busy times of this page"; // the name of that calendar
const AHEAD = 365 * DAY * 60_000; // milliseconds for which the service keeps times

const at = (id) => document.getElementById(id);
const isTyped = ({ name, url }) => name === TYPED && !url;

let known = []; // the calendars, as they were asked for last

export function forget() {
  known = [];
}

// The busy times of a range, with the name of their calendar.
export async function busyTimes(range) {
  const names = new Map(known.map(({ id, name }) => [id, name]));
  const times = await ask("busyTimes", range).catch(unlessForbidden);
  return times.map((time) => ({ ...time, label: names.get(time.calendarId) ?? "busy" }));
}

// Lists what is kept; `remove` is told the calendar to remove, `free` the typed time.
export async function list(remove, free) {
  known = await ask("calendars").catch(unlessForbidden);
  fill("calendars", known.filter((each) => !isTyped(each)), told, remove);
  fill("busy", known.some(isTyped) ? await typed() : [], (time) => `${moment(time)} `, free);
}

// A token may lack the scope for calendars: then there are none on the page.
function unlessForbidden(error) {
  if (error.extensions?.code !== "FORBIDDEN") throw error;
  return [];
}

function fill(id, items, text, remove) {
  const lines = items.map((item) => {
    const button = element("button", "Remove", { type: "button" });
    button.setAttribute("aria-label", `Remove ${item.name ?? moment(item)}`);
    button.addEventListener("click", () => remove(item));
    return element("li", [text(item), button]);
  });
  at(id).replaceChildren(...(lines.length ? lines : [element("li", "None.")]));
}

function told({ name, times, lastError, refreshedAt }) {
  if (lastError) return `${name}: ${lastError} `;
  return refreshedAt ? `${name}: busy times ${times} ` : `${name}: it is read soon `;
}

// Adds what the form says. Throws an Error if it says nothing.
export async function add() {
  const [file] = at("calendar-file").files;
  const url = at("calendar-url").value.trim();
  if (!file && !url) throw new Error("Choose a calendar's file, or give its address.");
  const name = at("calendar-name").value.trim() || file?.name || "Calendar";
  const source = file ? { ics: await file.text() } : { url };
  const { busyCalendar } = await ask("addCalendar", { input: { name, ...source } });
  at("calendar").reset();
  return busyCalendar;
}

// The times to come that were typed. Those of other calendars are not read: of a year, they may be too many.
async function typed() {
  const now = Date.now();
  const range = { from: new Date(now).toISOString(), to: new Date(now + AHEAD).toISOString() };
  const asked = known.filter(isTyped).map(({ id }) => ask("busyTimes", { ...range, calendarId: id }));
  return (await Promise.all(asked)).flat();
}

// Keeps a time free. Throws an Error for one that is over, too far ahead, or ends before it starts.
export async function keepFree(start, end) {
  if (end <= start) throw new Error("A busy time must end after it begins.");
  if (end <= Date.now()) throw new Error("A busy time must not be over.");
  if (end > Date.now() + AHEAD) throw new Error("A busy time must be within a year.");
  await rewrite((times) => [...times, { start, end }]);
}

export async function giveBack(time) {
  await rewrite((times) => times.filter(({ start, end }) => start !== time.start || end !== time.end));
}

// The new calendar takes the place of the old one, also where a person has as many as may be.
async function rewrite(change) {
  known = await ask("calendars");
  const before = known.filter(isTyped).map(({ id }) => id);
  const times = change(await typed());
  if (times.length) {
    const input = { name: TYPED, ics: written(times), replacesId: before.shift() };
    await ask("addCalendar", { input });
  }
  for (const id of before) await ask("removeCalendar", { input: { id } });
}

// Times as a calendar by RFC 5545.
function written(times) {
  const instant = (time) => `${new Date(time).toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const events = times.flatMap(({ start, end }, number) => [
    "BEGIN:VEVENT",
    `UID:${number}`,
    `DTSTAMP:${instant(Date.now())}`,
    `DTSTART:${instant(start)}`,
    `DTEND:${instant(end)}`,
    "END:VEVENT",
  ]);
  const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Smart Task Scheduler//Plan//EN", ...events];
  return [...lines, "END:VCALENDAR", ""].join("\r\n");
}
