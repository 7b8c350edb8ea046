// Takes pictures of five people's weeks as the page of the plan shows them, and prints what is
// planned and what has no place as one JSON object:
//
//   node tests/weeks.mjs <base-url> <chromium-path> <artefact.png>   # artefact-student.png, …

import { step, until, visit } from "./browser.mjs";

const PASSWORD = "correct horse battery";
const WORKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];
const hard = { deadlineType: "HARD" };

const open = (days, ...hours) =>
  days.map((day) => ({
    day,
    intervals: hours.map((text) => ({ start: text.split("-")[0], end: text.split("-")[1] })),
  }));
const task = (title, durationMinutes, more = {}) => ({ title, durationMinutes, ...more });
const DAY = 86_400_000; // milliseconds
const today = Math.floor(Date.now() / DAY); // days since a Thursday
const monday = today + 7 - ((today + 3) % 7);
// A time of day by UTC; the 7th is the coming Monday, since calendars are kept for a year only.
const at = (day, time) => `${new Date((monday + Number(day) - 7) * DAY).toISOString().slice(0, 10)}T${time}:00Z`;
const taken = (day, from, until) => ({ start: at(day, from), end: at(day, until) });

const PEOPLE = {
  student: {
    hours: open([...WORKDAYS, "SATURDAY"], "09:00-12:00", "13:00-19:00"),
    busy: ["07", "08", "09", "10"].map((day) => taken(day, "10:00", "12:00")), // lectures
    tasks: [
      task("Essay on Hume", 900, { dueAt: at("31", "12:00"), minChunkMinutes: 60 }),
      task("Problem sheet 9", 180, { dueAt: at("10", "10:00"), ...hard, minChunkMinutes: 60, priority: "HIGH" }),
      task("Read chapter 4", 90, { dueAt: at("09", "10:00") }),
      task("Return books", 20, { priority: "LOW" }),
      task("Revise for the test", 240, { dueAt: at("11", "09:00"), minChunkMinutes: 45, priority: "URGENT" }),
    ],
  },
  developer: {
    hours: open(WORKDAYS, "09:00-12:00", "13:00-17:30"),
    busy: ["07", "08", "09", "10", "11"].map((day) => taken(day, "09:30", "09:45")), // stand-ups
    tasks: [
      task("Fix the login outage", 120, { priority: "URGENT", dueAt: at("07", "17:00") }),
      task("Search feature", 720, { minChunkMinutes: 90, priority: "HIGH", dueAt: at("11", "17:00") }),
      task("Review pull requests", 60, { dueAt: at("08", "12:00") }),
      task("Upgrade dependencies", 180, { minChunkMinutes: 60, priority: "LOW" }),
      task("Write release notes", 45, { dueAt: at("11", "15:00") }),
      task("Expenses", 20, { priority: "LOW" }),
    ],
  },
  parent: {
    hours: [...open(WORKDAYS, "09:00-11:30", "20:00-21:30"), ...open(["SATURDAY"], "10:00-12:00")],
    busy: [taken("08", "09:00", "10:30")],
    tasks: [
      task("School form", 15, { dueAt: at("08", "12:00"), ...hard, priority: "URGENT" }),
      task("Birthday cake", 120, { dueAt: at("12", "12:00"), ...hard, priority: "HIGH" }),
      task("Groceries", 60, { dueAt: at("09", "20:00") }),
      task("Laundry", 45),
      task("Tax return", 300, { minChunkMinutes: 30, dueAt: at("31", "20:00") }),
      task("Call grandma", 20, { priority: "LOW" }),
    ],
  },
  freelancer: {
    hours: open(WORKDAYS, "10:00-13:00", "14:00-18:00"),
    busy: [taken("07", "14:00", "15:00"), taken("10", "11:00", "12:30")],
    tasks: [
      task("Logo for Acme", 480, { dueAt: at("10", "18:00"), ...hard, minChunkMinutes: 60, priority: "HIGH" }),
      task("Website of the bakery", 600, { dueAt: at("16", "18:00"), minChunkMinutes: 90 }),
      task("Invoices", 60, { dueAt: at("07", "18:00"), priority: "URGENT" }),
      task("Pitch to a museum", 180, { dueAt: at("09", "12:00"), minChunkMinutes: 60 }),
      task("Portfolio", 240, { minChunkMinutes: 60, priority: "LOW" }),
    ],
  },
  nurse: {
    hours: [...open(["MONDAY", "TUESDAY"], "10:00-18:00"), ...open(["THURSDAY", "FRIDAY"], "14:00-20:00")],
    busy: [taken("08", "10:00", "13:00")], // asleep after the night shift
    tasks: [
      task("Refresher course", 180, { dueAt: at("11", "20:00"), ...hard, minChunkMinutes: 60, priority: "HIGH" }),
      task("Roster wishes", 20, { dueAt: at("08", "12:00"), ...hard, priority: "URGENT" }),
      task("Dentist papers", 30, { dueAt: at("10", "18:00") }),
      task("Swim", 60, { priority: "LOW" }),
      task("Repair the bike", 90, { priority: "LOW" }),
    ],
  },
};

const seen = {};

async function use({ page, base, screenshot }) {
  for (const [name, person] of Object.entries(PEOPLE)) {
    step(name);
    const ask = asker(base);
    ask.token = (await ask("RegisterInput", "register", "token", { username: name, password: PASSWORD })).token;
    await ask("UpdateSettingsInput", "updateSettings", "settings { timezone }", { workingHours: person.hours });
    await ask("CreateTasksInput", "createTasks", "results { task { id } }", { tasks: person.tasks });
    await ask("AddBusyCalendarInput", "addBusyCalendar", "busyCalendar { times }", { name: "Busy", ics: ics(person.busy) });
    seen[name] = await plan(ask, { from: at("07", "08:00") });
    await picture(page, base, ask.token, screenshot.replace(/\.png$/, `-${name}.png`));
  }
}

function asker(base) {
  const send = async (query, variables) => {
    const headers = { "Content-Type": "application/json" };
    if (ask.token) headers.Authorization = `Bearer ${ask.token}`;
    const body = JSON.stringify({ query, variables });
    const { data, errors } = await (await fetch(`${base}/graphql`, { method: "POST", headers, body })).json();
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  };
  const ask = (type, name, fields, input, kind = "mutation") =>
    send(`${kind} ($input: ${type}!) { ${name}(input: $input) { ${fields} } }`, { input });
  return ask;
}

function ics(times) {
  const instant = (text) => text.replace(/[-:]/g, "");
  const events = times.flatMap(({ start, end }, number) => [
    ...["BEGIN:VEVENT", `UID:${number}`, "DTSTAMP:20300101T000000Z"],
    ...[`DTSTART:${instant(start)}`, `DTEND:${instant(end)}`, "END:VEVENT"],
  ]);
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ...events, "END:VCALENDAR", ""].join("\r\n");
}

async function plan(ask, input) {
  const fields = "inputHash blocks { title start end } unplaced { title text } atRisk { title lateMinutes }";
  const { inputHash, ...made } = await ask("PlanInput", "planPreview", fields, input, "query");
  await ask("PlanApplyInput", "planApply", "planId", { ...input, inputHash });
  const lines = made.blocks.map(({ title, start, end }) => `${weekday(start)} ${start.slice(11, 16)}-${end.slice(11, 16)} ${title}`);
  return { ...made, blocks: lines };
}

const weekday = (start) => new Date(start).toLocaleDateString("en", { weekday: "short", timeZone: "UTC" });

async function picture(page, base, token, path) {
  await page.clock.setFixedTime(at("07", "08:00"));
  await page.goto(`${base}/plan`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await until(page, async () => (await page.locator("#week .block").count()) > 0, "no week is drawn");
  await page.screenshot({ path, fullPage: true });
}

await visit("Five weeks", seen, use);
