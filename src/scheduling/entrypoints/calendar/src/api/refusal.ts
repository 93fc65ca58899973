/** What the server says when it does not do what was asked: RFC 9457, with our codes. */
export interface Problem {
  type: string
  title: string
  status: number
  detail?: string
  code: string
  errors?: { field: string; message: string }[]
  conflictingAppointmentIds?: string[]
  reason?: string
  scope?: string
  /** Which one of a series, from 1 */
  index?: number
}

/** A request that was answered with a problem, or not at all. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly problem: Problem | null = null,
  ) {
    super(`${code}: ${detail}`)
    this.name = 'Refusal'
  }

  /** Somebody else changed it meanwhile: what is shown here is old. */
  get isStale(): boolean {
    return this.code === 'OPTIMISTIC_LOCK_CONFLICT'
  }

  static async from(response: Response): Promise<Refusal> {
    const problem = (await response.json().catch(() => null)) as Problem | null
    return new Refusal(
      problem?.code ?? 'UNEXPECTED_ANSWER',
      response.status,
      problem?.detail ?? response.statusText,
      problem,
    )
  }

  /** What was thrown, as a refusal; anything else is a fault of ours, and is reported. */
  static of(thrown: unknown): Refusal {
    if (thrown instanceof Refusal) return thrown
    console.error(thrown)
    return new Refusal('UNEXPECTED', 0, String(thrown))
  }

  /** What the server would say of these fields. */
  static ofFields(...fields: string[]): Refusal {
    const code = 'VALIDATION_FAILED'
    const errors = fields.map((field) => ({ field, message: '' }))
    return new Refusal(code, 422, '', { type: '', title: '', status: 422, code, errors })
  }

  static unreachable(): Refusal {
    return new Refusal('UNREACHABLE', 0, 'The server did not answer.')
  }
}
