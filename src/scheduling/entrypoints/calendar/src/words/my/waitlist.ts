/** Words of the room `waitlist`. */
export default {
}
