import { describe, expect, it } from 'vitest'
import { draftOf, editsOf, rebased } from '~/appointment/draft'

const stored = {
  appointmentType: 'consultation',
  reason: 'cough',
  notes: null,
  durationMinutes: 30,
  practitionerId: 'souza',
}
const base = draftOf(stored)

describe('what is typed over an appointment', () => {
  it('is nothing while nothing is changed', () => {
    expect(editsOf(base, { ...base })).toBeNull()
    expect(editsOf(base, { ...base, notes: '  ' })).toBeNull()
  })
  it('is only what was changed', () => {
    expect(editsOf(base, { ...base, notes: ' brings X-rays ' })).toEqual({ notes: 'brings X-rays' })
    expect(editsOf(base, { ...base, durationMinutes: 60, practitionerId: 'weiss' })).toEqual({
      durationMinutes: 60,
      practitionerId: 'weiss',
    })
  })
  it('clears what was emptied', () => {
    expect(editsOf(base, { ...base, reason: '' })).toEqual({ reason: null })
  })
  it('stays when somebody else has saved, and takes over what they changed', () => {
    const typed = { ...base, notes: 'mine', reason: 'fever' }
    const fresh = draftOf({ ...stored, reason: 'cold', appointmentType: 'follow-up' })
    const after = rebased(base, typed, fresh)
    expect(after).toEqual({ ...fresh, notes: 'mine', reason: 'fever' })
    expect(editsOf(fresh, after)).toEqual({ notes: 'mine', reason: 'fever' })
  })
})
