/** A command to an appointment, which may also come too late: that is explained, not only said. */
import { Attempt } from '~/app/attempt.svelte'

export class Command extends Attempt {
  /** Somebody else was faster. */
  readonly tooLate = $derived(this.refused?.isStale ?? false)
  readonly why = $derived(this.tooLate ? null : this.failed)

  forget(): void {
    this.refused = null
  }
}
