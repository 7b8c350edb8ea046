// Plans a week as a person would, in headless Chromium with the network cut, and prints what it
// saw as one JSON object:
//
//   node tests/plan.mjs <base-url> <chromium-path> <screenshot-path>

import { step, stored, until, visit } from "./browser.mjs";

const axe = await import("axe-core").catch(() => null); // not everybody has installed it yet

const PASSWORD = "correct horse battery";
const TASKS = [
  { title: "Write the report", durationMinutes: 300, minChunkMinutes: 60, priority: "HIGH" },
  { title: "Water the plants", durationMinutes: 30 },
  { title: "Paint the fence", durationMinutes: 420, minChunkMinutes: 120 },
  { title: "Post the letter", durationMinutes: 45, dueAt: "2030-01-01T09:00:00Z" },
  {
    title: "Catch the train",
    durationMinutes: 60,
    dueAt: "2030-01-07T08:30:00Z",
    deadlineType: "HARD",
  },
  { title: "Learn to sail" },
];

const seen = {};

async function use({ page, base, screenshot }) {
  const ask = async (query, variables, token = "") => {
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
      token,
    );
  const starts = async () => {
    const { tasks } = await ask("{ tasks { nodes { plannedStart } } }", {}, token);
    return tasks.nodes.filter(({ plannedStart }) => plannedStart).length;
  };
  const status = page.getByRole("status");
  const says = async (start) => {
    const text = () => status.textContent();
    await until(page, async () => (await text()).startsWith(start), `the page says no "${start}"`);
    return text();
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).click();

  step("Ann has tasks");
  const { register } = await ask(
    "mutation ($input: RegisterInput!) { register(input: $input) { token } }",
    { input: { username: "Ann", password: PASSWORD } },
  );
  const { token } = register;
  await ask(
    "mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) { __typename } }",
    { input: { timezone: "Europe/Berlin" } },
    token,
  );
  for (const task of TASKS) await create(task);

  step("a wrong password is refused");
  await page.goto(`${base}/plan`);
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Password").fill("wrong horse battery");
  await page.keyboard.press("Enter");
  seen.refused = await says("Invalid");

  step("Ann signs in by the keyboard");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  seen.signedIn = (await says("Signed in as")).split(". ")[0];

  step("the week is planned");
  await page.getByLabel("From").fill("2030-01-07T08:00");
  await press("Preview");
  seen.previewed = await says("Previewed");
  seen.week = await page.getByRole("heading", { level: 2, name: /^Week/ }).textContent();
  const blocks = page.locator("#week button");
  seen.blocks = await page
    .locator("#week .day")
    .evaluateAll((days) =>
      days.flatMap((day) =>
        [...day.querySelectorAll("button")].map((block) =>
          [day.querySelector("h3"), ...block.childNodes]
            .slice(0, 3)
            .map((node) => node.textContent.trim())
            .join(" "),
        ),
      ),
    );
  for (const list of ["unplaced", "at-risk", "unestimated"]) {
    seen[list] = await page.locator(`#${list} li`).allTextContents();
  }

  step("arrow keys go from block to block");
  await blocks.first().focus();
  const focused = () => page.evaluate(() => document.activeElement.childNodes[1].textContent.trim());
  seen.walk = [await focused()];
  for (const key of ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "ArrowLeft"]) {
    await page.keyboard.press(key);
    seen.walk.push(await focused());
  }
  seen.details = await page.locator("#details").locator("p, li").allTextContents();
  seen.sameInTitle = await blocks
    .first()
    .evaluate((block) => block.title === block.querySelector(".for-readers").textContent);
  await page.screenshot({ path: screenshot, fullPage: true });

  step("axe looks at the page in both colour schemes");
  seen.colours = [];
  seen.axe = axe ? [] : null;
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    seen.colours.push(
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    );
    if (axe) seen.axe.push(...(await violations(page)));
  }

  step("other weeks are turned to");
  await press("Next week");
  seen.next = await says("Week of");
  await press("Previous week");
  seen.back = await says("Week of January 7");

  step("the plan is applied and undone");
  await press("Apply");
  seen.applied = await says("Applied");
  seen.planned = [await starts()];
  await press("Undo");
  seen.undone = await says("Undone");
  seen.planned.push(await starts());

  step("a plan that takes long shows that it goes on");
  let answer;
  const released = new Promise((resolve) => (answer = resolve));
  await page.route("**/graphql", async (route) => {
    await released;
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
  seen.stale = await says("Not applied");
  seen.planned.push(await starts());

  step("nothing is left of who was signed in");
  seen.stored = (await stored(page, "eyJ")) || (await stored(page, PASSWORD));
  await press("Sign out");
  seen.signedOut = await says("Signed out");
  seen.leftOver = await page.locator("#week button, #unplaced li").count();
}

async function violations(page) {
  await page.evaluate(axe.default.source);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

await visit("The page of the plan", seen, use);
