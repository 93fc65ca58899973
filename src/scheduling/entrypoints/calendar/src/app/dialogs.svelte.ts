/** Which dialog is open. One at a time: who opens another closes the first. */
import type { SlotTime } from '~/api/client'
import type { Day, Instant } from '~/time/zoned'

export type Opened =
  /** Book a free time; without a slot the time is looked for. */
  | { kind: 'book'; slot: SlotTime | null; patientId?: string }
  /** All seats of a group slot, and who has them */
  | { kind: 'group'; slot: SlotTime }
  | { kind: 'appointment'; id: string }
  /** Take the time out of offer, or give it back */
  | { kind: 'block'; slot: SlotTime }
  /** Closed, replaced or extra hours on a day */
  | { kind: 'exception'; practitionerId: string; day: Day }
  /** Why is nothing free? */
  | { kind: 'explain'; practitionerId: string; from: Instant; to: Instant }
  /** Who waits for such a time */
  | { kind: 'candidates'; slot: SlotTime }
  | { kind: 'wish'; patientId?: string }
  /** The next free time with anybody */
  | { kind: 'next' }

class Dialogs {
  opened = $state.raw<Opened | null>(null)

  open(one: Opened): void {
    this.opened = one
  }

  close(): void {
    this.opened = null
  }
}

export const dialogs = new Dialogs()
