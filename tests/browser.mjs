// Headless Chromium with the network cut, for a script that uses a page as a person would:
//
//   node tests/<script>.mjs <base-url> <chromium-path> <screenshot-path>
//
// Whatever the script has `seen`, and what no page may do, is printed as one JSON object.

import { stripVTControlCharacters } from "node:util";

import { chromium } from "playwright-core";

const STEP_MS = 20_000;
const LAUNCH_MS = 10_000;
const WHOLE_MS = 220_000;

const [base, executablePath, screenshot] = process.argv.slice(2);
let current = "Chromium starts";

// Says what is tried from here on, for the case that it fails.
export function step(text) {
  current = text;
}

export async function visit(what, seen, use) {
  Object.assign(seen, { externalRequests: [], cspViolations: [], consoleErrors: [] });
  setTimeout(() => fail(what, `the whole run took longer than ${WHOLE_MS} ms`), WHOLE_MS).unref();
  try {
    await open(seen, use);
  } catch (error) {
    fail(what, stripVTControlCharacters(error.message)); // Playwright colours its messages
  }
  console.log(JSON.stringify(seen));
}

async function open(seen, use) {
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
  let page;
  try {
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(STEP_MS);
    await watch(page, seen);
    await use({ page, base, screenshot });
    seen.cspViolations = await page.evaluate(() => window.violations);
  } catch (error) {
    // The picture of what went wrong; the error matters more than whether it can be taken.
    await page?.screenshot({ path: screenshot, timeout: 2_000 }).catch(() => {});
    throw error;
  } finally {
    await browser.close();
  }
}

async function watch(page, seen) {
  const { origin } = new URL(base);
  const note = (text) => {
    const url = new URL(text);
    if (url.protocol !== "data:" && url.origin !== origin) seen.externalRequests.push(text);
  };
  page.on("request", (request) => note(request.url()));
  page.on("websocket", (socket) => note(socket.url()));
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

// Whether the browser has kept a secret anywhere that outlives the page.
export function stored(page, secret) {
  return page.evaluate(
    (text) =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]).includes(text),
    secret,
  );
}

export async function until(page, condition, complaint) {
  const end = Date.now() + STEP_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${complaint} after ${STEP_MS} ms`);
    await page.waitForTimeout(50);
  }
}

function fail(what, reason) {
  console.error(`${what} does not get as far as "${current}": ${reason}`);
  process.exit(1); // takes Chromium along: Playwright ends it when the process exits
}
