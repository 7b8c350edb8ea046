// The time zone, the working hours, days off and schedules, in a form.

import { element } from "./week.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HOURS = /^(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})$/;

const at = (id) => document.getElementById(id);

export function fill({ timezone, workingHours, daysOff, schedules }) {
  at("timezone").value = timezone;
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  at("timezones").replaceChildren(...zones.map((zone) => element("option", [], { value: zone })));
  at("hours").replaceChildren(...week(workingHours));
  at("days-off").value = daysOff.join(", ");
  at("schedules").replaceChildren();
  for (const schedule of schedules) addSchedule(schedule);
}

const purposes = new WeakMap(); // the tags and projects of schedules, by their fields, which do not show them

// Shows one more schedule; a new one is empty.
export function addSchedule({ name, workingHours, tags, projectIds } = { name: "", workingHours: [] }) {
  const input = element("input", [], { name: "schedule", value: name, maxLength: 50, autocomplete: "off" });
  const legend = element("legend", name ? `Schedule ${name}` : "New schedule");
  const made = element("fieldset", [legend, element("label", ["Name ", input]), ...week(workingHours)]);
  purposes.set(made, { tags, projectIds });
  at("schedules").append(made);
  return input;
}

// What the form says, as `updateSettings` takes it. Throws an Error for hours that are none.
export function read() {
  const named = [...at("schedules").children].map((fields) => ({
    name: fields.querySelector("[name=schedule]").value.trim(),
    workingHours: hours(fields),
    ...purposes.get(fields),
  }));
  return {
    timezone: at("timezone").value,
    workingHours: hours(at("hours")),
    daysOff: listed(at("days-off").value),
    schedules: named.filter(({ name }) => name),
  };
}

function week(workingHours) {
  return DAYS.map((name) => {
    const known = workingHours.find(({ day }) => day === name.toUpperCase())?.intervals ?? [];
    const value = known.map(({ start, end }) => `${start.slice(0, 5)}-${end.slice(0, 5)}`).join(", ");
    const input = element("input", [], { name, value, autocomplete: "off" });
    input.setAttribute("aria-describedby", "hours-note");
    return element("label", [`${name} `, input]);
  });
}

function hours(fields) {
  const days = DAYS.map((name) => ({
    day: name.toUpperCase(),
    intervals: listed(fields.querySelector(`[name=${name}]`).value).map(interval),
  }));
  return days.filter(({ intervals }) => intervals.length);
}

const listed = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);

function interval(text) {
  const [, start, end] = HOURS.exec(text) ?? [];
  if (!start) throw new Error(`“${text}” are no hours: write them as 09:00-12:00.`);
  return { start: start.padStart(5, "0"), end: end.padStart(5, "0") };
}
