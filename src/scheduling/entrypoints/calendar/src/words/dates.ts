/**
 * Burmese dates, in the order of Unicode's CLDR. Browsers say that they know them and
 * mostly do not: Chromium, which has no data for the language, writes "2026 M11 20, Fri".
 */
const MONTHS = [
  'ဇန်နဝါရီ', 'ဖေဖော်ဝါရီ', 'မတ်', 'ဧပြီ', 'မေ', 'ဇွန်',
  'ဇူလိုင်', 'ဩဂုတ်', 'စက်တင်ဘာ', 'အောက်တိုဘာ', 'နိုဝင်ဘာ', 'ဒီဇင်ဘာ',
]
/** As English abbreviates them: what a formatter can be asked for in every browser */
const WEEKDAYS: Record<string, string> = {
  Sun: 'တနင်္ဂနွေ',
  Mon: 'တနင်္လာ',
  Tue: 'အင်္ဂါ',
  Wed: 'ဗုဒ္ဓဟူး',
  Thu: 'ကြာသပတေး',
  Fri: 'သောကြာ',
  Sat: 'စနေ',
}

/** Whether the options ask for more than a time of the day. */
export const asksForDate = (options: Intl.DateTimeFormatOptions): boolean =>
  Boolean(options.dateStyle ?? options.weekday ?? options.day ?? options.month ?? options.year)

/** For an English formatter, which gives the parts that `burmeseDate` puts together */
export const PARTS: Intl.DateTimeFormatOptions = {
  weekday: 'short',
  day: 'numeric',
  month: 'numeric',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
}

/** Return what the options ask for; months are never shortened: hardly anybody does. */
export function burmeseDate(parts: Intl.DateTimeFormatPart[], options: Intl.DateTimeFormatOptions): string {
  const said = Object.fromEntries(parts.map((part) => [part.type, part.value]))
  const { dateStyle } = options
  const whole = dateStyle !== undefined
  const date = [
    (whole || options.month) && MONTHS[Number(said.month) - 1],
    (whole || options.day) && said.day,
  ]
  return [
    (whole || options.year) && said.year,
    date.filter(Boolean).join(' '),
    (dateStyle === 'full' || options.weekday) && WEEKDAYS[said.weekday ?? ''],
    (options.timeStyle ?? options.hour) && `${said.hour}:${said.minute}`,
  ]
    .filter(Boolean)
    .join('၊ ')
}
