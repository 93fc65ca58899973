/**
 * The API as its OpenAPI document describes it (`schema.d.ts` is generated from it).
 *
 * Every call carries the session's token. A command carries an Idempotency-Key, so that
 * it may be sent again when no answer came; what is refused is thrown as a `Refusal`.
 */
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from '~/api/schema'
import { Refusal } from '~/api/refusal'
import { session } from '~/signin/session.svelte'

type Schemas = components['schemas']
export type Appointment = Schemas['AppointmentView']
export type BookedTime = Schemas['CalendarAppointmentView']
export type SlotTime = Schemas['CalendarSlotView']
export type FreeTime = Schemas['AvailableSlotView']
export type CalendarDay = Schemas['CalendarDayView']
export type Clinic = Schemas['LocationView']
export type Practitioner = Schemas['PractitionerView']
export type Status = Schemas['Status']

const ATTEMPTS = 3

/** Return what was answered; null where no answer came, or no token was to be had. */
async function once(request: Request): Promise<Response | null> {
  try {
    const token = await session.token()
    const headers = { ...Object.fromEntries(request.headers), Authorization: `Bearer ${token}` }
    const answer = await fetch(new Request(request.clone(), { headers }))
    if (answer.status === 401) session.expired(token)
    return answer
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    return null
  }
}

/**
 * Send it, again where the line broke or the server is busy: reads and keyed commands;
 * and with a fresh token where the first was taken no more.
 */
async function send(request: Request): Promise<Response> {
  let renewed = false
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(request)
    if (answer?.status === 401 && !renewed) {
      renewed = true
      continue
    }
    const busy = answer === null || answer.status === 503 || answer.status === 429
    if (!busy || attempt >= ATTEMPTS) {
      if (answer === null) throw Refusal.unreachable()
      return answer
    }
    const wait = Number(answer?.headers.get('Retry-After') ?? 0) * 1000 || 300 * attempt
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 5000)))
  }
}

const keyed: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && !request.headers.has('Idempotency-Key'))
      request.headers.set('Idempotency-Key', crypto.randomUUID())
    return request
  },
  async onResponse({ response }) {
    if (response.ok) return response
    throw await Refusal.from(response)
  },
}

export const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: send,
  // Lists are repeated, as FastAPI reads them: locationId=a&locationId=b
  querySerializer: { array: { style: 'form', explode: true } },
})
api.use(keyed)

/** Return the body of what was answered; a refusal was thrown before. */
export async function answered<T>(asked: Promise<{ data?: T }>): Promise<T> {
  const { data } = await asked
  return data as T
}

/** Return all pages of a list, 200 a page. */
export async function allOf<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const found = await page(cursor)
    items.push(...found.items)
    cursor = found.nextCursor ?? undefined
  } while (cursor)
  return items
}

/** The header by which a command names the version that it was decided on. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })
