/** What is said to everybody: shown for a while, and read out by screen readers. */
import { Refusal } from '~/api/refusal'
import { say, words } from '~/words/words.svelte'

export interface Message {
  id: number
  kind: 'done' | 'refused' | 'news'
  text: string
  action: Action | null
}

/** What one may do about a message, by a button in it */
export interface Action {
  label: string
  run: () => void
  /** Until it is dismissed; without it the message goes as others do. */
  stays?: boolean
}

const SHOWN = 8000
/** Milliseconds; a refusal stays until it is dismissed. */
const AGAIN = 2000

class Announcer {
  messages = $state<Message[]>([])
  /** For the polite live region: said without being shown, as a move under way. */
  whisper = $state('')
  /** Somebody points at one, or has the focus in it: none goes by itself meanwhile. */
  held = false
  private last = 0
  /** The dialogs that are open: below the last of them nothing is heard, or clicked. */
  private places = $state.raw<readonly symbol[]>([])
  /** Where messages are shown: in the uppermost dialog; null: on the page */
  readonly place = $derived(this.places.at(-1) ?? null)

  /** A dialog was opened; return what to call when it is gone. */
  enter(place: symbol): () => void {
    this.places = [...this.places, place]
    return () => (this.places = this.places.filter((one) => one !== place))
  }

  done(text: string, action: Action | null = null): void {
    this.add('done', text, action)
  }

  news(text: string, action: Action | null = null): void {
    this.add('news', text, action)
  }

  /** Say why something was not done, in the words of the desk; anything else is a fault. */
  refused(error: unknown): void {
    if (error instanceof Refusal) this.add('refused', words.refusal(error))
    else {
      console.error(error)
      this.add('refused', say('refusal.other', { code: 'UNEXPECTED' }))
    }
  }

  dismiss(id: number): void {
    this.messages = this.messages.filter((message) => message.id !== id)
  }

  /** Somebody else sits here now: what was said to who was here before is not for them. */
  forget(): void {
    this.messages = []
    this.whisper = ''
  }

  private add(kind: Message['kind'], text: string, action: Action | null = null): void {
    const id = (this.last += 1)
    // Refused again for the same reason, it is said again, and shown once.
    const others = this.messages.filter((one) => kind !== 'refused' || one.kind !== kind || one.text !== text)
    this.messages = [...others.slice(-3), { id, kind, text, action }]
    if (kind !== 'refused' && !action?.stays) this.dismissLater(id, SHOWN)
  }

  private dismissLater(id: number, after: number): void {
    setTimeout(() => (this.held ? this.dismissLater(id, AGAIN) : this.dismiss(id)), after)
  }
}

export const announcer = new Announcer()
