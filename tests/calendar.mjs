// Prints the events of a calendar on standard input as ical.js reads them: JSON, in their order.
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, 'utf8')))
const when = (time) => time && (time.isDate ? time.toString() : time.toJSDate().toISOString())
const events = calendar.getAllSubcomponents('vevent').map((each) => {
  const event = new ICAL.Event(each)
  return {
    uid: event.uid,
    summary: event.summary,
    description: event.description,
    start: when(event.startDate),
    end: when(each.getFirstPropertyValue('dtend')),
    sequence: event.sequence,
  }
})
console.log(JSON.stringify(events))
