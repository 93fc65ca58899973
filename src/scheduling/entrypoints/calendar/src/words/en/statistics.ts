/** Words of the room `statistics`. */
export default {
}
