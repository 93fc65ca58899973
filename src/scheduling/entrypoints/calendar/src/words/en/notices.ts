/** Words of the room `notices`. */
export default {
  'notices.title': 'Notifications',
  'notices.unread': 'Notifications, {count} unread',
  'notices.none-unread': 'Notifications, none unread',
  'notices.read-all': 'Mark all as read',
  'notices.read': 'Mark as read',
  'notices.new': 'New',
  'notices.nothing': 'Nothing has happened yet.',
  'notices.whose': 'Show one practitioner alone to see what they are told.',
  'notices.of': 'For {name}',
  'notices.came': 'New notifications: {count}. {title}',
}
