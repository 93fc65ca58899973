/** Looking for a patient while somebody types: the latest answer counts, no older one. */
import { answered, api } from '~/api/client'
import { Refusal } from '~/api/refusal'

/** As much of a patient as one needs to tell two of the same name apart */
export interface Patient {
  id: string
  name: string
  fileNumber: string | null
  phone: string | null
  email: string | null
  active: boolean
}

const PAUSE = 200
/** Milliseconds without a key before the server is asked */

const MOST = 20

export class PatientSearch {
  /** Of the latest question that was answered; null before the first */
  found = $state.raw<Patient[] | null>(null)
  failed = $state<Refusal | null>(null)
  private asked = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  look(query: string): void {
    clearTimeout(this.timer)
    const number = (this.asked += 1)
    if (!query.trim()) {
      this.found = null
      this.failed = null
      return
    }
    this.timer = setTimeout(() => void this.ask(query.trim(), number), PAUSE)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.asked += 1
  }

  private async ask(query: string, number: number): Promise<void> {
    try {
      const { items } = await answered(
        api.POST('/v1/patients/search', { body: { query, limit: MOST } }),
      )
      if (number !== this.asked) return
      this.found = items
      this.failed = null
    } catch (error) {
      if (number !== this.asked) return
      this.found = null
      this.failed = Refusal.of(error)
    }
  }
}

/** The last digits of a phone number: enough to tell, too little to call. */
export const phoneEnd = (phone: string | null): string | null => phone?.replace(/\D/g, '').slice(-4) || null
