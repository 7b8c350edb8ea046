// Uses GraphiQL as a newcomer would, in headless Chromium with the network cut, and prints what
// it saw as one JSON object:
//
//   node tests/graphiql.mjs <base-url> <chromium-path> <screenshot-path>

import { stripVTControlCharacters } from "node:util";

import { chromium } from "playwright-core";

const [base, executablePath, screenshot] = process.argv.slice(2);
const ORIGIN = new URL(base).origin;
const STEP_MS = 10_000;
const LAUNCH_MS = 10_000;
const WHOLE_MS = 25_000;

const REGISTER = `mutation Register {
  register(input: { username: "Ann", password: "correct horse battery" }) {
    token
  }
}`;
const CREATE = `mutation Create($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      id
    }
  }
}`;
const READ = `query Read {
  viewer {
    username
  }
  tasks(first: 10) {
    nodes {
      title
      priority
    }
  }
}`;
const BAD = `query Bad {
  tasks(first: 1000) {
    totalCount
  }
}`;

const QUERY_PANE = ".graphiql-query-editor";
const TOOL_PANE = ".graphiql-editor-tool .graphiql-editor:not(.hidden)";
const ANSWER_PANE = ".result-window";

const seen = {
  docs: null,
  explorer: false,
  username: null,
  taskTitle: null,
  errorCode: null,
  tokenStored: null,
  externalRequests: [],
  cspViolations: [],
  consoleErrors: [],
};
let step = "Chromium starts";
let page;

async function main() {
  const browser = await chromium.launch({
    executablePath,
    timeout: LAUNCH_MS,
    args: [
      // A container often has no user namespaces for the sandbox; we only open our own page.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A proxy would resolve names for the browser and so undo the next line.
      "--no-proxy-server",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
  try {
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(STEP_MS);
    await watch();
    await use();
  } catch (error) {
    // The picture of what went wrong; the error matters more than whether it can be taken.
    await page?.screenshot({ path: screenshot, timeout: 2_000 }).catch(() => {});
    throw error;
  } finally {
    await browser.close();
  }
}

async function watch() {
  page.on("request", (request) => noteUrl(request.url()));
  page.on("websocket", (socket) => noteUrl(socket.url()));
  page.on("pageerror", (error) => seen.consoleErrors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") seen.consoleErrors.push(message.text());
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
}

function noteUrl(text) {
  const url = new URL(text);
  if (url.protocol !== "data:" && url.origin !== ORIGIN) seen.externalRequests.push(text);
}

async function use() {
  step = "the editor shows";
  await page.goto(`${base}/graphql`);
  await page.locator(`${QUERY_PANE} .CodeMirror`).waitFor();

  step = "the explorer lists the fields of Query";
  await page.getByLabel("Show GraphiQL Explorer").click();
  const fields = page.locator(".graphiql-explorer-root .graphiql-explorer-field-view");
  await fields.filter({ hasText: /^viewer$/ }).waitFor();
  seen.explorer = true;

  step = "the documentation describes Query.tasks";
  await page.getByLabel("Show Documentation Explorer").click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.locator(".graphiql-doc-explorer-type-name", { hasText: /^Query$/ }).click();
  await docs.getByText("What can be read.").waitFor();
  await docs.locator(".graphiql-doc-explorer-field-name", { hasText: /^tasks$/ }).click();
  await docs.locator(".graphiql-doc-explorer-title", { hasText: /^tasks$/ }).waitFor();
  const described = docs.locator(".graphiql-markdown-description");
  seen.docs = (await described.first().textContent()).trim();

  step = "register answers with a token";
  await writeQuery(REGISTER);
  const registered = await answerTo(() => page.keyboard.press("Control+Enter"));
  const token = registered.data.register.token;

  step = "createTask takes its headers and variables";
  await page.getByRole("button", { name: "Headers", exact: true }).click();
  await write(TOOL_PANE, JSON.stringify({ Authorization: `Bearer ${token}` }));
  await page.getByRole("button", { name: "Variables", exact: true }).click();
  const input = { title: "Water the plants", priority: "HIGH" };
  await write(TOOL_PANE, JSON.stringify({ input }, null, 2));
  await writeQuery(CREATE);
  const created = await answerTo(() => page.locator(".graphiql-execute-button").click());
  if (!created.data?.createTask) throw new Error(JSON.stringify(created));

  step = "the user and the task are read";
  await write(TOOL_PANE, "{}");
  await writeQuery(READ);
  const { data } = await answerTo(() => page.locator(".graphiql-execute-button").click());
  seen.username = data.viewer.username;
  seen.taskTitle = data.tasks.nodes[0].title;
  await page.screenshot({ path: screenshot });

  step = "a bad query shows its error";
  await writeQuery(BAD);
  const refused = await answerTo(() => page.keyboard.press("Control+Enter"));
  seen.errorCode = refused.errors[0].extensions.code;

  step = "the browser is asked what it kept and refused";
  // GraphiQL saves its tabs half a second after the last change.
  await page.waitForTimeout(1_000);
  seen.tokenStored = await page.evaluate(
    (secret) => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes(secret),
    token,
  );
  seen.cspViolations = await page.evaluate(() => window.violations);
}

// By the keyboard, as a person would: setValue would not prove that a pane can be typed in.
async function write(pane, text) {
  await page.locator(`${pane} textarea`).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
  const held = await read(pane);
  if (held !== text) throw new Error(`the pane holds ${JSON.stringify(held)}`);
}

// CodeMirror draws only the lines in sight; its instance has them all.
function read(pane) {
  return page.locator(`${pane} .CodeMirror`).evaluate((element) => element.CodeMirror.getValue());
}

// GraphiQL looks at a document a moment after it changed; before that it would still ask for the
// operation of the one before.
async function writeQuery(text) {
  await write(QUERY_PANE, text);
  const [, name] = /^\w+ (\w+)/.exec(text);
  const editor = page.locator(`${QUERY_PANE} .CodeMirror`);
  const known = () => editor.evaluate((element) => element.CodeMirror.operationName);
  await until(async () => (await known()) === name, `GraphiQL does not know operation ${name}`);
}

// The next answer that GraphiQL shows after `run`. No two in a row are alike here.
async function answerTo(run) {
  const before = await read(ANSWER_PANE);
  await run();
  let text = before;
  await until(async () => {
    text = await read(ANSWER_PANE);
    return text && text !== before;
  }, "there is no new answer");
  return JSON.parse(text);
}

async function until(condition, complaint) {
  const end = Date.now() + STEP_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${complaint} after ${STEP_MS} ms`);
    await page.waitForTimeout(50);
  }
}

function fail(reason) {
  console.error(`GraphiQL does not get as far as "${step}": ${reason}`);
  process.exit(1); // takes Chromium along: Playwright ends it when the process exits
}

setTimeout(() => fail(`the whole run took longer than ${WHOLE_MS} ms`), WHOLE_MS).unref();
try {
  await main();
} catch (error) {
  fail(stripVTControlCharacters(error.message)); // Playwright colours its messages
}
console.log(JSON.stringify(seen));
