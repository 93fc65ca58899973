/** An appointment that is to be moved in the grid, as its panel asks for. */
class Movement {
  wanted = $state<string | null>(null)
}

export const movement = new Movement()
