/** A time kept for somebody who is still thinking, and how long it will be. */
import { answered, api, type Appointment, type SlotTime } from '~/api/client'
import { type Told, toldOf } from '~/booking/countdown'

const TICK = 500
/** Milliseconds; often enough that no second is skipped. */

export class Hold {
  held = $state.raw<Appointment | null>(null)
  /** Whole seconds */
  left = $state(0)
  /** The last one ran out, and nobody has taken another since. */
  ranOut = $state(false)
  told = $state<Told | null>(null)
  private until = 0
  private closed = false
  private timer: ReturnType<typeof setInterval> | undefined

  async take(slot: SlotTime, patientId: string, appointmentType: string): Promise<void> {
    const asked = performance.now()
    const held = await answered(
      api.POST('/v1/slots/{id}/hold', {
        params: { path: { id: slot.id } },
        body: { patientId, appointmentType },
      }),
    )
    this.held = held
    if (this.closed) return this.release()
    // The server's own two instants say how long: this machine's clock may be wrong.
    const given = Date.parse(held.holdExpiresAt ?? held.createdAt) - Date.parse(held.createdAt)
    this.until = asked + given
    this.ranOut = false
    this.told = null
    this.left = Math.ceil(given / 1000)
    this.timer = setInterval(() => this.tick(), TICK)
  }

  /** Give it back, where there is one. Nobody waits for that: it ends by itself too. */
  release(): void {
    const held = this.held
    this.forget()
    if (!held) return
    api.DELETE('/v1/holds/{id}', { params: { path: { id: held.id } } }).catch(() => undefined)
  }

  /** Nobody looks any more: what is held, or just being taken, is given back. */
  close(): void {
    this.closed = true
    this.release()
  }

  /** It was used up, or the server says that it is over. */
  forget(over = false): void {
    clearInterval(this.timer)
    this.held = null
    if (over) this.ranOut = true
  }

  private tick(): void {
    const left = Math.max(0, Math.ceil((this.until - performance.now()) / 1000))
    this.told = toldOf(this.left, left) ?? this.told
    this.left = left
    if (left === 0) this.forget(true)
  }
}
