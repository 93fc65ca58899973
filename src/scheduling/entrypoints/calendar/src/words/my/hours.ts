/** Words of the room `hours`. */
export default {
}
