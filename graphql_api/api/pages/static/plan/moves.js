// What a plan would change of what is planned, task by task.

import { moment } from "./time.js";

const key = ({ start, end }) => `${start} ${end}`;

const taskOf = ({ id }) => id.slice(0, id.lastIndexOf("_"));

function byTask(blocks, task) {
  const found = new Map();
  for (const block of blocks) found.set(task(block), [...(found.get(task(block)) ?? []), block]);
  return found;
}

// Sentences on the tasks whose blocks are others than before.
export function moves(before, plan) {
  const was = byTask(before, taskOf);
  const becomes = byTask(plan.blocks, ({ taskId }) => taskId);
  const reasons = new Map(plan.moved.map(({ taskId, reason }) => [taskId, reason.text]));
  const titles = new Map(
    [...plan.blocks, ...plan.unplaced, ...plan.unestimated].map(({ taskId, title }) => [taskId, title]),
  );
  return [...titles].flatMap(([task, title]) => {
    const [from, to] = [was.get(task) ?? [], becomes.get(task) ?? []];
    const stays = new Set(from.map(key));
    if (from.length === to.length && to.every((block) => stays.has(key(block)))) return [];
    const why = reasons.get(task) ?? to.find((block) => !stays.has(key(block)))?.reasons[0]?.text;
    const what = `${title}: ${times(from, "not planned")} → ${times(to, "without a place")}.`;
    return [why ? `${what} ${why}` : what];
  });
}

const times = (blocks, none) => blocks.map(moment).join(", ") || none;
