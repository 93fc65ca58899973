/** What a record of the history says, in words. Free text is told as changed, not quoted. */
import { names } from '~/appointment/names.svelte'
import type { Change } from '~/appointment/visit.svelte'
import { session } from '~/signin/session.svelte'
import { minutesBetween } from '~/time/zoned'
import { say, type Word, words } from '~/words/words.svelte'

const TOUCHED: Record<string, Word> = {
  reason: 'appointment.reason',
  notes: 'appointment.notes',
  resources: 'appointment.resources',
}

/** What took effect, and was not merely asked for */
export const effects = (history: Change[]): Change[] =>
  history.filter((one) => one.outcome === 'done' && one.version !== null)

export function actorOf(change: Change): string {
  const { actor } = change
  if (actor === null || actor.includes(':')) return say('appointment.history.system')
  return actor === session.claims?.subject ? say('appointment.history.you') : actor
}

export function linesOf(change: Change, zone: string): string[] {
  const { changes } = change
  const lines: string[] = []
  const both = (name: string) => {
    const change = changes[name]
    if (typeof change?.old !== 'string' || typeof change.new !== 'string') return null
    return [change.old, change.new] as const
  }
  const field = (word: Word, [old, now]: readonly [string, string]) =>
    lines.push(say('appointment.history.field', { field: say(word), old, new: now }))
  const when = (instant: string) => `${words.date(instant, zone)} ${words.time(instant, zone)}`

  const status = changes['status']
  if (status && status.old === null)
    lines.push(say('appointment.history.made', { status: words.named('status', String(status.new)) }))
  else if (status) {
    const [old, now] = [status.old, status.new].map((one) => words.named('status', String(one)))
    lines.push(say('appointment.history.to', { old: old ?? '', new: now ?? '' }))
  }
  const code = changes['reasonCode']?.new
  if (typeof code === 'string' && lines.length)
    lines.push(
      say('appointment.history.because', {
        change: lines.pop() ?? '',
        reason: words.named('appointment.cancel', code),
      }),
    )

  const [start, end] = [both('start'), both('end')]
  if (start) field('appointment.when', [when(start[0]), when(start[1])])
  else if (end) {
    const longer = minutesBetween(end[0], end[1])
    const minutes = words.number(longer, { signDisplay: 'always' })
    lines.push(`${say('appointment.length')}: ${say('appointment.minutes', { minutes })}`)
  }
  const who = both('practitionerId')
  if (who) field('appointment.practitioner', [names.practitioner(who[0]), names.practitioner(who[1])])
  const where = both('locationId')
  if (where) field('appointment.clinic', [names.clinic(where[0]), names.clinic(where[1])])
  const type = both('appointmentType')
  if (type) field('appointment.type', type)
  // Of what was just made, all is new: that is not told field by field.
  if (status?.old !== null)
    for (const [name, word] of Object.entries(TOUCHED))
      if (name in changes) lines.push(say('appointment.history.touched', { field: say(word) }))
  return lines
}
