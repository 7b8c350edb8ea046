// The calendars whose events plans keep free: uploaded as a file, or read from a URL.

import { ask } from "./service.js";
import { element } from "./week.js";

const at = (id) => document.getElementById(id);

function told({ name, times, lastError, refreshedAt }) {
  if (lastError) return `${name}: ${lastError} `;
  return refreshedAt ? `${name}: busy times ${times} ` : `${name}: it is read soon `;
}

// Lists what is kept; `remove` is told the calendar to remove.
export async function list(remove) {
  const lines = (await ask("calendars")).map((calendar) => {
    const button = element("button", "Remove", { type: "button" });
    button.setAttribute("aria-label", `Remove ${calendar.name}`);
    button.addEventListener("click", () => remove(calendar));
    return element("li", [told(calendar), button]);
  });
  at("calendars").replaceChildren(...(lines.length ? lines : [element("li", "None.")]));
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
