/**
 * Moving a visit in the grid: dropped with the pointer, or aimed with the keys. Both end in
 * the same command; where it is refused, the visit stays where it was.
 */
import type { Calendar } from '@event-calendar/core'
import type { BookedTime } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { desk } from '~/app/desk.svelte'
import { movement } from '~/app/movement.svelte'
import { route } from '~/app/route.svelte'
import { days } from '~/calendar/days.svelte'
import { type Drawn, type Entry, type Ghost, isMovable } from '~/calendar/entries'
import type { Ground } from '~/moving/ground'
import { isThere, moves, whenOf } from '~/moving/moves.svelte'
import { above, beside, type Column, onDay, snapped, type Target, targetsOf } from '~/moving/targets'
import { session } from '~/signin/session.svelte'
import { addDays, type Day, dayOf, type Instant, instantOf, minutesBetween, minutesLater, type Wall, wallOf } from '~/time/zoned'
import { say, words } from '~/words/words.svelte'

interface Aim extends Column {
  wall: Wall
  /** null where nobody has hours */
  start: Instant | null
}

class Mover {
  /** The visit that is being moved with the keys */
  moved = $state.raw<BookedTime | null>(null)
  aim = $state.raw<Aim | null>(null)
  private ground: Ground | null = null
  /** From which day it came, for the way back */
  private from: Day | null = null
  private turning = false
  /** What was last said of the aim: that it is taken by now is said too */
  private told = ''
  /** An entry that gets the focus once it is drawn */
  private awaited: string | null = null

  private readonly targets: Target[] = $derived(
    this.moved ? targetsOf(days.days, this.moved, desk.zone, desk.now) : [],
  )

  /** How it looks there, as things are by now: others book meanwhile. */
  readonly state: 'now' | 'free' | 'taken' | 'nowhere' = $derived.by(() => {
    const { moved, aim } = this
    if (!moved || !aim?.start) return 'nowhere'
    if (isThere(moved, aim.practitionerId, aim.start)) return 'now'
    const same = (one: Target) => one.practitionerId === aim.practitionerId && one.wall === aim.wall
    return this.targets.find(same)?.free ? 'free' : 'taken'
  })

  /** Where it would come to lie, to be drawn among the entries */
  readonly ghost: Ghost | null = $derived.by(() => {
    const { moved, aim, state } = this
    if (!moved || !aim || state === 'now' || state === 'nowhere') return null
    const end = minutesLater(aim.wall, minutesBetween(moved.start, moved.end))
    return {
      kind: 'ghost',
      id: 'ghost',
      practitionerId: aim.practitionerId,
      start: aim.wall,
      end,
      free: state === 'free',
      patientName: moved.patientName,
    }
  })

  /** The entries with the ghost, and without the free times that it lies upon */
  among(entries: Entry[]): Drawn[] {
    const { ghost } = this
    if (!ghost) return entries
    const below = (one: Entry) =>
      one.kind === 'free' &&
      one.practitionerId === ghost.practitionerId &&
      one.start < ghost.end &&
      one.end > ghost.start
    return [...entries.filter((one) => !below(one)), ghost]
  }

  /** Move in this grid; return how to stop. */
  over(ground: Ground): () => void {
    this.ground = ground
    return () => {
      this.ground = null
      this.leave()
    }
  }

  // --- by pointer

  async dropped(info: Calendar.EventDropInfo, entry: Drawn): Promise<void> {
    if (entry.kind !== 'appointment' || moves.underWay.has(entry.id)) return info.revert()
    const moved = entry.appointment
    const practitionerId = String(info.newResource?.id ?? entry.practitionerId)
    // What the wall shows, and how far it went: the viewer's own clock has no say in it.
    const wall = minutesLater(entry.start, info.delta.days * 24 * 60 + info.delta.seconds / 60)
    const near = snapped(targetsOf(days.days, moved, desk.zone, desk.now), practitionerId, wall)
    const start = near?.start ?? instantOf(wall, desk.zone)
    if (isThere(moved, practitionerId, start)) {
      info.revert()
      announcer.whisper = say('moving.put-back', { patient: moved.patientName })
    } else if (!(await moves.send(moved, practitionerId, start))) info.revert()
  }

  /** While aiming, a click on a time is the choice of it. */
  picked(entry: Entry): void {
    if (entry.kind !== 'free' && entry.kind !== 'group') return
    const target = this.targets.find(
      (one) => one.practitionerId === entry.practitionerId && one.wall === entry.start,
    )
    if (!target) return
    this.at(target)
    void this.confirm()
  }

  // --- by keys

  /** Take a visit up, if it can be and one may. */
  take(moved: BookedTime): void {
    const patient = moved.patientName
    if (!session.may('scheduling:book')) announcer.whisper = say('moving.not-you')
    else if (!isMovable(moved) || moves.underWay.has(moved.id)) announcer.whisper = say('moving.not-this')
    else {
      this.moved = moved
      this.from = desk.date
      this.aim = this.home(moved)
      announcer.whisper = say('moving.started', { patient })
    }
  }

  /** Take up what its panel asked for, once it is among the days that are shown. */
  private takeWanted(): void {
    const id = movement.wanted
    if (id === null || days.of !== this.ground?.of()) return
    movement.wanted = null
    const found = days.days.flatMap((day) => day.appointments).find((one) => one.id === id)
    if (!found) return
    if (!this.ground.focus(id)) this.ground.focus(found.slotIds[0] ?? id) // of a group
    this.take(found)
  }

  /** Return whether the key was one of ours. */
  onkeydown(event: KeyboardEvent, focused: Entry | undefined): boolean {
    if (event.altKey || event.ctrlKey || event.metaKey) return false
    const done = this.moved ? this.aimed(event) : this.begun(event, focused)
    if (done) {
      event.preventDefault()
      // The grid's own entries take Enter for a click.
      event.stopPropagation()
    }
    return done
  }

  private begun(event: KeyboardEvent, focused: Entry | undefined): boolean {
    if (event.key.toLowerCase() !== 'm' || !focused) return false
    if (focused.kind === 'appointment') this.take(focused.appointment)
    else if (focused.kind === 'group') announcer.whisper = say('moving.not-group')
    else return false
    return true
  }

  private aimed({ key, shiftKey, target }: KeyboardEvent): boolean {
    // Entries are buttons too; those of the bar do what they say.
    const inBar = target instanceof HTMLButtonElement && !target.dataset.entry
    switch (key) {
      case 'Escape':
        this.cancel()
        return true
      case 'Enter':
        if (inBar) return false
        void this.confirm()
        return true
      case 'ArrowDown':
      case 'ArrowUp':
        this.step((aim) => above(this.targets, aim, key === 'ArrowDown' ? 1 : -1, shiftKey))
        return true
      case 'ArrowRight':
      case 'ArrowLeft':
        this.step((aim) => beside(this.targets, this.columns, aim, key === 'ArrowRight' ? 1 : -1))
        return true
      case 'PageDown':
      case 'PageUp':
        this.turn(key === 'PageDown' ? 1 : -1)
        return true
      default:
        return false
    }
  }

  private get columns(): Column[] {
    return this.ground?.columns() ?? []
  }

  private step(next: (aim: Aim) => Target | undefined): void {
    if (!this.aim || this.turning || this.isUnderWay) return
    const target = next(this.aim)
    if (target) this.at(target)
    else announcer.whisper = say('moving.end')
  }

  private at(target: Target): void {
    this.aim = target
    this.tell()
  }

  /** Go to another day, or week: the entry may not be seen there, the aim is. */
  private turn(step: 1 | -1): void {
    if (!this.ground || this.isUnderWay) return
    this.turning = true
    this.ground.hold()
    route.go({ date: addDays(desk.date, step * this.ground.count()) })
  }

  /** To be called when entries were drawn. */
  drawn(): void {
    if (this.awaited && this.ground?.focus(this.awaited)) this.awaited = null
    this.takeWanted()
    this.ground?.ghost()?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    if (this.told && this.told !== this.said && !this.turning) this.tell()
    if (!this.turning || !this.aim || !this.moved || days.of !== this.ground?.of()) return
    this.turning = false
    const target = onDay(this.targets, this.columns, this.aim)
    if (target) return this.at(target)
    const day = this.columns[0]?.day ?? desk.date
    this.aim = { ...this.aim, day, wall: `${day}${this.aim.wall.slice(10)}`, start: null }
    this.tell()
  }

  private tell(): void {
    this.told = this.said
    announcer.whisper = this.said
  }

  /** Where it is aimed at, in words */
  readonly said: string = $derived.by(() => {
    const { aim } = this
    if (!aim) return ''
    if (aim.start === null) return say('moving.nowhere', { day: words.day(aim.wall) })
    const practitioner = desk.nameOf(aim.practitionerId)
    const when = whenOf(aim.start)
    if (this.state === 'now') return say('moving.at-now', { practitioner, when })
    return say(this.state === 'free' ? 'moving.at-free' : 'moving.at-taken', { practitioner, when })
  })

  get isUnderWay(): boolean {
    return this.moved !== null && moves.underWay.has(this.moved.id)
  }

  cancel(): void {
    const { moved } = this
    if (!moved || this.isUnderWay) return
    this.goBack(moved)
    announcer.whisper = say('moving.put-back', { patient: moved.patientName })
  }

  async confirm(): Promise<void> {
    const { moved, aim } = this
    if (!moved || !aim?.start || this.turning || this.isUnderWay) return
    if (this.state === 'now') return this.cancel()
    if (await moves.send(moved, aim.practitionerId, aim.start)) {
      this.leave()
      this.focusOn(moved.id)
    } else this.goBack(moved)
  }

  private goBack(moved: BookedTime): void {
    const from = this.from
    this.leave()
    if (from && from !== desk.date) route.go({ date: from })
    this.focusOn(moved.id)
  }

  private focusOn(id: string): void {
    if (this.ground?.focus(id)) return
    this.ground?.hold()
    this.awaited = id
  }

  private leave(): void {
    this.moved = null
    this.aim = null
    this.from = null
    this.turning = false
    this.told = ''
    this.awaited = null
  }

  private home(moved: BookedTime): Aim {
    const { practitionerId, start } = moved
    const zone = desk.zone
    return { practitionerId, start, day: dayOf(start, zone), wall: wallOf(start, zone) }
  }
}

export const mover = new Mover()
