// Instants by the clocks of a time zone. A day is an ISO date, a minute is counted from midnight.

export const DAY = 24 * 60; // minutes

const WEEKDAYS = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

let zone = "UTC";
let firstDay = 1; // of the week, 0 being Sunday

export function live({ timezone, firstWeekday }) {
  zone = timezone;
  firstDay = WEEKDAYS.indexOf(firstWeekday);
}

export function local(instant) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  });
  const parts = Object.fromEntries(format.formatToParts(instant).map((p) => [p.type, p.value]));
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    minute: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

export const today = () => local(new Date()).day;

export function clock(minute) {
  const text = (number) => String(number).padStart(2, "0");
  return `${text(Math.floor(minute / 60) % 24)}:${text(minute % 60)}`;
}

const wall = ({ day, minute }) => Date.parse(`${day}T${clock(minute)}:00Z`);

// The instant at which the clocks of the zone show a time: twice, since the first guess may be on
// the other side of a change of the clocks.
export function instantOf(day, minute) {
  const wanted = wall({ day, minute });
  let guess = wanted;
  for (let time = 0; time < 2; time += 1) guess += wanted - wall(local(new Date(guess)));
  return new Date(guess);
}

// What a field of the type datetime-local has, and the other way round.
export function fromField(text) {
  const [day, time] = text.split("T");
  const [hour, minute] = time.split(":").map(Number);
  return instantOf(day, hour * 60 + minute);
}

export function toField(instant) {
  const { day, minute } = local(instant);
  return `${day}T${clock(minute)}`;
}

export function plusDays(day, count) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY * 60_000).toISOString().slice(0, 10);
}

// The first day of the week of a day.
export function weekOf(day) {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() - firstDay + 7) % 7));
}

export function named(day, options) {
  return new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options }).format(new Date(day));
}

export function length(minutes) {
  const units = [[Math.floor(minutes / DAY), "d"], [Math.floor((minutes % DAY) / 60), "h"]];
  const parts = [...units, [minutes % 60, "min"]].filter(([count]) => count);
  return parts.map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 min";
}

export function span({ start, end }) {
  const [first, last] = [start, end].map((text) => local(new Date(text)));
  return `${clock(first.minute)}–${clock(last.minute)}`;
}

export function moment(block) {
  const { day } = local(new Date(block.start));
  return `${named(day, { weekday: "short", day: "numeric", month: "short" })} ${span(block)}`;
}

// What of a span of time is on which day.
export function byDay(item) {
  const start = local(new Date(item.start));
  const end = local(new Date(item.end));
  const found = [];
  for (let day = start.day; day <= end.day; day = plusDays(day, 1)) {
    const from = day === start.day ? start.minute : 0;
    const until = day === end.day ? end.minute : DAY;
    if (until > 0 || day === start.day) found.push({ item, day, from, until });
  }
  return found;
}
