// The time zone and the working hours of a week, in a form.

import { element } from "./week.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HOURS = /^(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})$/;

const at = (id) => document.getElementById(id);

export function fill({ timezone, workingHours }) {
  at("timezone").value = timezone;
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  at("timezones").replaceChildren(...zones.map((zone) => element("option", [], { value: zone })));
  const fields = DAYS.map((name) => {
    const hours = workingHours.find(({ day }) => day === name.toUpperCase())?.intervals ?? [];
    const value = hours.map(({ start, end }) => `${start.slice(0, 5)}-${end.slice(0, 5)}`).join(", ");
    const input = element("input", [], { name, value });
    input.setAttribute("aria-describedby", "hours-note");
    return element("label", [`${name} `, input]);
  });
  at("hours").replaceChildren(...fields);
}

// What the form says, as `updateSettings` takes it. Throws an Error for hours that are none.
export function read() {
  const workingHours = [...at("hours").querySelectorAll("input")].map(({ name, value }) => ({
    day: name.toUpperCase(),
    intervals: value.split(",").map((text) => text.trim()).filter(Boolean).map(interval),
  }));
  const open = workingHours.filter(({ intervals }) => intervals.length);
  return { timezone: at("timezone").value, workingHours: open };
}

function interval(text) {
  const [, start, end] = HOURS.exec(text) ?? [];
  if (!start) throw new Error(`“${text}” are no hours: write them as 09:00-12:00.`);
  return { start: start.padStart(5, "0"), end: end.padStart(5, "0") };
}
