/**
 * What is typed over an appointment: only what was changed is sent. Where somebody else
 * has saved meanwhile, what was not touched here takes the new values, the rest stays.
 */
import type { Appointment } from '~/api/client'
import type { components } from '~/api/schema'

/** Its types take what has a default for required; what is not sent stays as it is. */
type Body = Partial<components['schemas']['EditBody']>

export interface Draft {
  appointmentType: string
  reason: string
  notes: string
  durationMinutes: number
  practitionerId: string
}

type Known = Pick<Appointment, 'appointmentType' | 'reason' | 'notes' | 'durationMinutes' | 'practitionerId'>

export const draftOf = (one: Known): Draft => ({
  appointmentType: one.appointmentType,
  reason: one.reason ?? '',
  notes: one.notes ?? '',
  durationMinutes: one.durationMinutes,
  practitionerId: one.practitionerId,
})

/** Return what is to be sent; null where nothing was changed. */
export function editsOf(base: Draft, draft: Draft): Body | null {
  const body: Body = {}
  const text = (typed: string) => typed.trim() || null
  if (draft.appointmentType.trim() !== base.appointmentType) body.appointmentType = draft.appointmentType.trim()
  if (text(draft.reason) !== text(base.reason)) body.reason = text(draft.reason)
  if (text(draft.notes) !== text(base.notes)) body.notes = text(draft.notes)
  if (draft.durationMinutes !== base.durationMinutes) body.durationMinutes = draft.durationMinutes
  if (draft.practitionerId !== base.practitionerId) body.practitionerId = draft.practitionerId
  return Object.keys(body).length ? body : null
}

/** Return the draft over what is stored now: typed words stay, the rest is renewed. */
export function rebased(base: Draft, draft: Draft, fresh: Draft): Draft {
  const keep = <Name extends keyof Draft>(name: Name): Draft[Name] =>
    draft[name] === base[name] ? fresh[name] : draft[name]
  return {
    appointmentType: keep('appointmentType'),
    reason: keep('reason'),
    notes: keep('notes'),
    durationMinutes: keep('durationMinutes'),
    practitionerId: keep('practitionerId'),
  }
}
