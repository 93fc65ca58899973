/** The one line to the server's news; whoever shows something that can change, listens. */
import { follow, type News } from '~/api/stream'

type Listener = (news: News | null) => void

class Live {
  /** null before the first connection */
  connected = $state<boolean | null>(null)
  private readonly listeners = new Set<Listener>()
  private stop: (() => void) | null = null

  follow(clinicId: string): () => void {
    this.stop?.()
    this.stop = follow(clinicId, {
      news: (one) => this.tell(one),
      gap: () => this.tell(null),
      live: (is) => (this.connected = is),
    })
    return () => this.stop?.()
  }

  /** Hear of every change, null where something may have been missed; return how to stop. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private tell(news: News | null): void {
    for (const listener of this.listeners) listener(news)
  }
}

export const live = new Live()
