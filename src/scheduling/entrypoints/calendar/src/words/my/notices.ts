/** Words of the room `notices`. */
export default {
}
