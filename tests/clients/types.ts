// Never run: it compiles only as long as the generated types refuse what the schema refuses.
import type { CreateTaskInput, TaskQuery, TasksQueryVariables } from './generated/operations.js'

// @ts-expect-error: a task has a title
export const untitled: CreateTaskInput = { priority: 'HIGH' }

// @ts-expect-error: no such status
export const misspelt: CreateTaskInput = { title: 'Later', status: 'CANCELED' }

// @ts-expect-error: a number
export const worded: TasksQueryVariables = { first: 'ten' }

// @ts-expect-error: there may be no such task
export const title = ({ task }: TaskQuery): string => task.title
