// Plans a week and works through it as a person would, in headless Chromium with the network cut,
// and prints what it saw as one JSON object:
//
//   node tests/plan.mjs <base-url> <chromium-path> <screenshot-path>

import { step, stored, until, visit } from "./browser.mjs";

const axe = await import("axe-core").catch(() => null); // not everybody has installed it yet

const PASSWORD = "correct horse battery";
const TASKS = [
  { title: "Write the report", durationMinutes: 300, minChunkMinutes: 60, priority: "HIGH" },
  { title: "Water the plants", durationMinutes: 20 },
  { title: "Paint the fence", durationMinutes: 420, minChunkMinutes: 120, priority: "LOW" },
  { title: "Post the letter", durationMinutes: 45, dueAt: "2030-01-01T09:00:00Z", priority: "URGENT" },
  {
    title: "Catch the train",
    durationMinutes: 60,
    dueAt: "2030-01-07T08:30:00Z",
    deadlineType: "HARD",
  },
  { title: "Learn to sail" },
];

const EVENINGS = [{ day: "TUESDAY", intervals: [{ start: "18:00", end: "20:30" }] }];

const seen = {};

async function use({ page, base, screenshot }) {
  const picture = (name) => screenshot.replace(/\.png$/, `-${name}.png`);
  let token = "";
  const ask = async (query, variables) => {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    if (!token) delete headers.Authorization;
    const body = JSON.stringify({ query, variables });
    const answer = await fetch(`${base}/graphql`, { method: "POST", headers, body });
    const { data, errors } = await answer.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  const create = (input) =>
    ask(
      "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }",
      { input },
    );
  const starts = async () => {
    const { tasks } = await ask("{ tasks { nodes { plannedStart } } }", {});
    return tasks.nodes.filter(({ plannedStart }) => plannedStart).length;
  };
  const status = page.getByRole("status");
  const says = async (start) => {
    const text = () => status.textContent();
    await until(page, async () => (await text()).startsWith(start), `the page says no "${start}"`);
    return text();
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const items = (id) => page.locator(`#${id} li`).allTextContents();
  const drawn = () =>
    page
      .locator("#week .day")
      .evaluateAll((found) =>
        found.flatMap((day) =>
          [...day.querySelectorAll("button")].map((block) =>
            [day.querySelector("h3"), ...block.querySelectorAll(".time, .title")]
              .map((node) => node.textContent.trim())
              .join(" "),
          ),
        ),
      );

  step("Ann signs up");
  await page.goto(`${base}/plan`);
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Password").fill(PASSWORD);
  await press("Sign up");
  seen.signedUp = await says("Signed in as");
  await press("Sign out");
  await says("Signed out");

  step("a wrong password is refused");
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Password").fill("wrong horse battery");
  await page.keyboard.press("Enter");
  seen.refused = await says("Invalid");

  step("Ann signs in by the keyboard");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  seen.signedIn = await says("Signed in as");
  const { login } = await ask(
    "mutation ($input: LoginInput!) { login(input: $input) { token } }",
    { input: { username: "Ann", password: PASSWORD } },
  );
  token = login.token;
  for (const task of TASKS) await create(task);

  step("the time zone and the hours are set");
  await page.getByText("Time zone and working hours").click();
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await page.getByLabel("Friday").fill("nine to five");
  await press("Save");
  seen.noHours = await says("“nine");
  await page.getByLabel("Friday").fill("9:00-12:00");
  await page.getByLabel("Days off").fill("2030-01-10");
  await press("Add a schedule");
  const evening = page.getByRole("group", { name: "New schedule" });
  await evening.getByLabel("Name").fill("evening");
  await evening.getByLabel("Tuesday").fill("18:00-20:30");
  await press("Save");
  seen.saved = await says("Saved");
  seen.zone = await page.locator("#zone").textContent();
  seen.schedules = await page.locator("#schedules legend").allTextContents();
  const bands = (kind) => page.locator(`#week .band.${kind}`).evaluateAll((found) => found.map((each) => each.title));
  seen.evenings = await bands("named");

  step("busy times are kept, and drawn");
  await page.getByText("Busy times").click();
  const keepFree = async (day, from, end) => {
    await page.getByLabel("Busy from").fill(`${day}T${from}`);
    await page.getByLabel("until").fill(`${day}T${end}`);
    await press("Add busy time");
  };
  await keepFree("2090-01-07", "11:00", "12:00");
  seen.tooFar = await says("A busy time must");
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const kept = () => page.locator("#busy li").allTextContents();
  for (const [from, end] of [["11:00", "12:00"], ["14:00", "14:30"]]) {
    await keepFree(tomorrow, from, end);
    await until(page, async () => (await kept()).filter((text) => text.includes(from)).length, "it is not kept");
  }
  await page.getByRole("button", { name: /^Remove .* 14:00/ }).click();
  await says("The busy time is removed");
  await ask(
    "mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) { settings { timezone } } }",
    { input: { schedules: [{ name: "evening", workingHours: EVENINGS, tags: ["sport"] }] } },
  );
  await press("Sign out");
  await says("Signed out");
  await page.getByLabel("Name", { exact: true }).first().fill("Ann");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await says("Signed in as");
  await press("Save");
  await says("Saved");
  const { viewer } = await ask("{ viewer { settings { schedules { name tags } } } }", {});
  seen.keptSchedules = viewer.settings.schedules;
  seen.busy = (await kept()).map((text) => text.replace(/^.*?, .*? \d+ /, ""));
  await press("Today");
  await until(page, async () => (await page.locator("#week .day").count()) === 1, "no single day");
  await press("Later");
  await until(page, async () => (await bands("busy")).length, "no busy time is drawn");
  seen.drawnBusy = await bands("busy");
  await press("This week");
  await until(page, async () => (await page.locator("#week .day").count()) === 7, "no week");

  step("a calendar's file is kept free");
  const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20300101T000000Z"];
  const event = ["DTSTART:20300107T080000Z", "DTEND:20300107T090000Z", "END:VEVENT", "END:VCALENDAR", ""];
  const buffer = Buffer.from([...lines, ...event].join("\r\n"));
  await page.getByLabel("from a file").setInputFiles({ name: "work.ics", mimeType: "text/calendar", buffer });
  await press("Add calendar");
  seen.calendar = await says("“work.ics” is");
  seen.calendars = await items("calendars");
  await press("Remove work.ics");
  seen.noCalendar = await says("“work.ics” is removed");

  step("nine full calendars keep neither the week away nor typed times as they are");
  const inAMonth = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
  const daily = ["BEGIN:VEVENT", "UID:1", `DTSTART:${inAMonth}T080000Z`, "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=300"];
  const ics = [...lines.slice(0, 3), ...daily, "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
  for (let number = 1; number <= 9; number++) {
    await ask(
      "mutation ($input: AddBusyCalendarInput!) { addBusyCalendar(input: $input) { busyCalendar { id } } }",
      { input: { name: `Full ${number}`, ics } },
    );
  }
  await press("Sign out");
  await says("Signed out");
  await page.getByLabel("Name", { exact: true }).first().fill("Ann");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  seen.besideFull = [await says("Signed in as")];
  await keepFree(tomorrow, "16:00", "16:30");
  seen.besideFull.push(await says("The busy time is kept"));
  await page.getByRole("button", { name: /^Remove .* 11:00/ }).click();
  seen.besideFull.push(await says("The busy time is removed"));
  seen.besideFull.push(...(await kept()).map((text) => text.replace(/^.*?, .*? \d+ /, "")));

  step("the week is planned");
  await page.getByText("From when, and what may move").click();
  await page.getByLabel("From", { exact: true }).fill("2030-01-07T08:00");
  await press("Preview");
  seen.previewed = await says("Previewed");
  seen.planned = [await starts()];
  for (const list of ["moves", "unplaced", "at-risk", "overload", "unestimated"]) seen[list] = await items(list);

  step("a task without a duration is given one");
  await page.getByLabel("Minutes for Learn to sail").fill("30");
  await press("Set");
  seen.estimated = await says("“Learn to sail” takes");

  step("the plan is applied, and shown as what is planned");
  await press("Apply");
  seen.applied = await says("Applied");
  seen.planned.push(await starts());
  seen.week = await page.locator("#week-title").textContent();
  seen.blocks = await drawn();
  seen.agenda = await items("agenda");
  await page.locator("details").evaluateAll((found) => found.forEach((each) => (each.open = false)));
  await page.screenshot({ path: screenshot, fullPage: true });

  step("arrow keys go from block to block");
  const blocks = page.locator("#week button");
  await blocks.first().focus();
  const focused = () =>
    page.evaluate(() => document.activeElement.querySelector(".title").textContent.trim());
  seen.walk = [await focused()];
  for (const key of ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "ArrowLeft"]) {
    await page.keyboard.press(key);
    seen.walk.push(await focused());
  }
  await page.locator("#agenda button").first().focus();
  await page.keyboard.press("ArrowDown");
  seen.walk.push(await page.evaluate(() => document.activeElement.closest("#agenda") && document.activeElement.textContent));
  await blocks.first().focus();
  seen.details = await page.locator("#details").locator("p, li").allTextContents();

  step("keys say what became of a block");
  seen.keys = [];
  for (const [key, word] of [["p", "pinned"], ["s", "started"], ["s", "stopped"], ["m", "missed"], ["d", "done"]]) {
    await page.keyboard.press(key);
    await until(page, async () => (await status.textContent()).includes(` is ${word}`), `no ${word}`);
    seen.keys.push(await status.textContent());
  }
  seen.afterwards = (await items("agenda"))[0];

  step("a block is moved by hand");
  await page.getByLabel("Move to").fill("2030-01-11T18:00");
  await press("Move");
  seen.moved = await says("“Post the letter” is moved");
  seen.movedTo = (await items("agenda")).find((text) => text.includes("Post the letter"));

  step("another token is asked for when the first one has expired");
  let refused = 0;
  await page.route("**/graphql", async (route) => {
    if (refused || !route.request().postData().includes("plannedBlocks")) return route.continue();
    refused += 1;
    const errors = [{ message: "Expired", extensions: { code: "UNAUTHENTICATED" } }];
    return route.fulfill({ json: { errors } });
  });
  await press("Later");
  seen.renewed = [refused, await says("Planned: week of January 14")];
  await page.unroute("**/graphql");
  await press("Earlier");
  await says("Planned: week of January 7");

  step("axe looks at the page in both colour schemes, and as on a phone");
  seen.colours = [];
  seen.axe = axe ? [] : null;
  const look = async () => {
    seen.colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    if (axe) seen.axe.push(...(await violations(page)));
  };
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await look();
  }
  await page.screenshot({ path: picture("dark"), fullPage: true });
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await look();
  await page.locator("#agenda").scrollIntoViewIfNeeded();
  await page.screenshot({ path: picture("phone") });
  seen.wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  await page.setViewportSize({ width: 1440, height: 900 });

  step("other weeks and days are turned to");
  await press("Later");
  seen.later = await says("Planned: week of");
  await press("Today");
  await until(page, async () => (await page.locator("#week .day").count()) === 1, "no single day");
  await press("This week");
  await says("Planned: week of");

  step("the plan is undone, as far as nothing was changed since");
  await press("Undo");
  seen.undone = await says("Undone");
  seen.planned.push(await starts());

  step("a plan that takes long shows that it goes on");
  let answer;
  const released = new Promise((resolve) => (answer = resolve));
  await page.route("**/graphql", async (route) => {
    if (route.request().postData().includes("planPreview")) await released;
    await route.continue();
  });
  await press("Preview");
  const progress = page.locator("#progress");
  const bar = page.getByRole("progressbar", { name: "Planning" });
  await until(page, () => bar.isVisible(), "no progress is shown");
  seen.progress = (await progress.textContent()).trim().replace(/\d+ s$/, "n s");
  answer();
  await until(page, () => progress.isHidden(), "progress is still shown");
  await page.unroute("**/graphql");
  await says("Previewed");

  step("a plan that is out of date is not applied");
  await create({ title: "Feed the cat", durationMinutes: 15 });
  await press("Apply");
  seen.stale = (await says("Not applied")).split(" Previewed")[0];
  await press("Discard");
  await says("Discarded");

  step("a task is added in one line, and it is shown how that is read");
  await page.getByLabel("In one line").fill("Call Bob 👋 friday !high");
  const marks = page.locator("#reading mark");
  await until(page, async () => (await marks.count()) === 2, "the line is not read");
  seen.reading = await marks.allTextContents();
  await page.keyboard.press("Enter");
  seen.added = await says("“Call Bob");

  step("nothing is left of who was signed in");
  seen.stored = (await stored(page, "eyJ")) || (await stored(page, PASSWORD));
  await press("Sign out");
  seen.signedOut = await says("Signed out");
  seen.leftOver = await page.locator("#week button, #agenda li, #unplaced li, #busy li").count();
}

async function violations(page) {
  await page.evaluate(axe.default.source);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

await visit("The page of the plan", seen, use);
