// Uses GraphiQL as a newcomer would, in headless Chromium with the network cut, and prints what
// it saw as one JSON object:
//
//   node tests/graphiql.mjs <base-url> <chromium-path> <screenshot-path>

import { step, stored, until, visit } from "./browser.mjs";

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
const FOLLOW = `subscription Follow {
  changes {
    kind
    fields
    actor {
      name
    }
    task {
      title
      status
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

const seen = {};
let page;

async function use(visited) {
  page = visited.page;
  step("the editor shows");
  await page.goto(`${visited.base}/graphql`);
  await page.locator(`${QUERY_PANE} .CodeMirror`).waitFor();

  step("the explorer lists the fields of Query");
  await page.getByLabel("Show GraphiQL Explorer").click();
  const fields = page.locator(".graphiql-explorer-root .graphiql-explorer-field-view");
  await fields.filter({ hasText: /^viewer$/ }).waitFor();
  seen.explorer = true;

  step("the documentation describes Query.tasks");
  await page.getByLabel("Show Documentation Explorer").click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.locator(".graphiql-doc-explorer-type-name", { hasText: /^Query$/ }).click();
  await docs.getByText("The queries.").waitFor();
  await docs.locator(".graphiql-doc-explorer-field-name", { hasText: /^tasks$/ }).click();
  await docs.locator(".graphiql-doc-explorer-title", { hasText: /^tasks$/ }).waitFor();
  const described = docs.locator(".graphiql-markdown-description");
  seen.docs = (await described.first().textContent()).trim();

  step("register answers with a token");
  await writeQuery(REGISTER);
  const registered = await answerTo(() => page.keyboard.press("Control+Enter"));
  const token = registered.data.register.token;

  step("createTask takes its headers and variables");
  await page.getByRole("button", { name: "Headers", exact: true }).click();
  await write(TOOL_PANE, JSON.stringify({ Authorization: `Bearer ${token}` }));
  await page.getByRole("button", { name: "Variables", exact: true }).click();
  const input = { title: "Water the plants", priority: "HIGH" };
  await write(TOOL_PANE, JSON.stringify({ input }, null, 2));
  await writeQuery(CREATE);
  const created = await answerTo(() => page.locator(".graphiql-execute-button").click());
  if (!created.data?.createTask) throw new Error(JSON.stringify(created));

  step("the user and the task are read");
  await write(TOOL_PANE, "{}");
  await writeQuery(READ);
  const { data } = await answerTo(() => page.locator(".graphiql-execute-button").click());
  seen.username = data.viewer.username;
  seen.taskTitle = data.tasks.nodes[0].title;
  await page.screenshot({ path: visited.screenshot });

  step("a subscription shows what another program does");
  await writeQuery(FOLLOW);
  const opened = page.waitForResponse((response) => /event-stream/.test(response.headers()["content-type"]));
  const followed = answerTo(async () => {
    await page.locator(".graphiql-execute-button").click();
    await opened;
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    const body = JSON.stringify({ title: "Sow carrots" });
    await fetch(`${visited.base}/api/v1/tasks`, { method: "POST", headers, body });
  });
  const { changes } = (await followed).data;
  seen.followed = [changes.kind, changes.task.title];
  await page.screenshot({ path: visited.screenshot.replace(/(?=\.\w+$)/, "-subscription") });
  await page.locator(".graphiql-execute-button").click();
  await page.locator(".graphiql-execute-button[aria-label^='Execute']").waitFor();

  step("a bad query shows its error");
  await writeQuery(BAD);
  const refused = await answerTo(() => page.keyboard.press("Control+Enter"));
  seen.errorCode = refused.errors[0].extensions.code;

  step("the browser is asked what it kept and refused");
  // GraphiQL saves its tabs half a second after the last change.
  await page.waitForTimeout(1_000);
  seen.tokenStored = await stored(page, token);
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
  await until(page, async () => (await known()) === name, `GraphiQL does not know operation ${name}`);
}

// The next answer that GraphiQL shows after `run`. No two in a row are alike here.
async function answerTo(run) {
  const before = await read(ANSWER_PANE);
  await run();
  let text = before;
  await until(page, async () => {
    text = await read(ANSWER_PANE);
    return text && text !== before;
  }, "there is no new answer");
  return JSON.parse(text);
}

await visit("GraphiQL", seen, use);
