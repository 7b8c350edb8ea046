// Draws days side by side: the hours, when there is work, what is busy, and blocks at their times.

import { DAY, byDay, clock, local, named, plusDays, span } from "./time.js";

const SHOWN_HOURS = [8 * 60, 18 * 60]; // at least
const SHORTEST = 20; // minutes that a block is drawn with, if there is room …
const LEAST = 15; // … and if there is none
const SHORT = 40; // minutes of a block that has room for its title alone: the axis tells its time

const USUAL = ["MEDIUM", "PLANNED"];

export function element(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  made.append(...[content].flat());
  Object.assign(made, attributes);
  return made;
}

// `days` are drawn with `blocks`; `open` and `busy` are spans of time behind them, with labels.
export function draw(table, { days, blocks, open, busy }) {
  const within = (items) => items.flatMap(byDay).filter(({ day }) => days.includes(day));
  const [shown, work, taken] = [blocks, open, busy].map(within);
  const first = Math.min(SHOWN_HOURS[0], ...[...shown, ...work].map(({ from }) => from));
  const last = Math.max(SHOWN_HOURS[1], ...[...shown, ...work].map(({ until }) => until));
  const hours = [Math.floor(first / 60), Math.ceil(last / 60)];
  const now = local(new Date());
  const of = (day) => (segment) => segment.day === day;
  const columns = days.map((day) =>
    column(day, hours, {
      blocks: shown.filter(of(day)),
      bands: [
        ...work.filter(of(day)).map((each) => band(each, hours, each.item.label ? "named" : "hours")),
        ...taken.filter(of(day)).map((each) => band(each, hours, "busy")),
        ...(day === now.day ? [line(now.minute, hours)] : []),
      ],
      isToday: day === now.day,
    }),
  );
  table.style.setProperty("--hours", hours[1] - hours[0]);
  table.style.setProperty("--days", days.length);
  table.replaceChildren(axis(hours), ...columns);
}

function axis([first, last]) {
  const labels = Array.from({ length: last - first }, (_, number) =>
    element("li", clock((first + number) * 60)),
  );
  const list = element("ol", labels);
  const made = element("div", list, { className: "axis" });
  made.setAttribute("aria-hidden", "true"); // each block says its time
  return made;
}

function column(day, hours, { blocks, bands, isToday }) {
  const title = named(day, { weekday: "short", day: "numeric", month: "short" });
  const items = inLanes(blocks).map((segment) => element("li", button(segment, hours)));
  const list = element("ol", items.length ? items : element("li", "Nothing", { className: "free" }));
  const sheet = element("div", [...bands, list], { className: "sheet" });
  const made = element("section", [element("h3", title), sheet], { className: isToday ? "day now-day" : "day" });
  if (isToday) made.setAttribute("aria-current", "date");
  return made;
}

function band(segment, hours, className) {
  const { label } = segment.item;
  const made = element("div", label ?? [], { className: `band ${className}` });
  if (className === "hours") made.setAttribute("aria-hidden", "true");
  if (label) made.title = `${label} ${span(segment.item)}`;
  return place(made, segment, hours);
}

function line(minute, hours) {
  const made = element("div", [], { className: "band present" });
  made.setAttribute("aria-hidden", "true");
  return place(made, { from: minute, until: minute }, hours);
}

function place(made, { from, until }, hours) {
  made.style.setProperty("--top", from / 60 - hours[0]);
  made.style.setProperty("--length", (until - from) / 60);
  return made;
}

// Blocks that overlap are drawn beside each other, and no others narrower for them.
function inLanes(segments) {
  const ordered = [...segments].sort((one, other) => one.from - other.from);
  let ends = [];
  const placed = ordered.map((segment) => {
    if (ends.every((end) => end <= segment.from)) ends = [];
    const free = ends.findIndex((end) => end <= segment.from);
    const lane = free < 0 ? ends.length : free;
    const until = Math.max(segment.until, Math.min(segment.from + LEAST, DAY));
    ends[lane] = until;
    const ahead = ordered.find(({ from }) => from >= until)?.from ?? DAY;
    return { ...segment, lane, ends, until: Math.max(until, Math.min(segment.from + SHORTEST, ahead)) };
  });
  return placed.map((segment) => ({ ...segment, lanes: segment.ends.length }));
}

function button(segment, hours) {
  const { item } = segment;
  const made = element(
    "button",
    [
      element("span", span(item), { className: "time" }),
      element("span", titleOf(item), { className: "title" }),
      element("span", ` ${marksOf(item).join(", ")}`, { className: "for-readers" }),
    ],
    { type: "button", className: classesOf(item), title: `${span(item)} ${titleOf(item)}` },
  );
  made.dataset.block = item.id;
  if (item.project) made.append(dot(item.project.color), element("span", item.project.name, { className: "for-readers" }));
  made.classList.toggle("short", segment.until - segment.from < SHORT);
  made.style.setProperty("--lane", segment.lane);
  made.style.setProperty("--lanes", segment.lanes);
  return place(made, segment, hours);
}

// The colour of a project, if it has one; its name is told beside it.
export function dot(color) {
  const made = element("span", [], { className: "dot" });
  made.style.setProperty("background-color", color ?? "transparent");
  return made;
}

export function titleOf(item) {
  return item.parts > 1 ? `${item.title} (part ${item.part} of ${item.parts})` : item.title;
}

// What the colours say, in words, but for what goes without saying.
export function marksOf(item) {
  const told = [item.priority, item.state].filter((text) => text && !USUAL.includes(text));
  const marks = told.map((text) => text.toLowerCase());
  return [...marks, item.late && "late", item.pinned && "pinned"].filter(Boolean);
}

export function classesOf(item) {
  const classes = ["block", ...[item.priority, item.state].filter(Boolean)];
  if (item.late) classes.push("late");
  if (item.pinned) classes.push("pinned");
  if (item.draft) classes.push("draft");
  return classes.join(" ").toLowerCase();
}

// The times of a week of hours on these days; an end that is not later is on the next day.
export function workOn(days, { workingHours, name }, instantOf) {
  return days.flatMap((day) => {
    const weekday = named(day, { weekday: "long" }).toUpperCase();
    const intervals = workingHours.find((each) => each.day === weekday)?.intervals ?? [];
    return intervals.map(({ start, end }) => ({
      start: instantOf(day, minuteOf(start)),
      end: end > start ? instantOf(day, minuteOf(end)) : instantOf(plusDays(day, 1), minuteOf(end)),
      label: name,
    }));
  });
}

const minuteOf = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
