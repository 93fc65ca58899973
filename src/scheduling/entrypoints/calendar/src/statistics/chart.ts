/** Drawing on a canvas: only what is used of chart.js, in a chunk that only this view loads. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  Tooltip,
} from 'chart.js'

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
)

export interface Drawing {
  kind: 'bar' | 'line'
  labels: readonly string[]
  /** null: nothing is drawn there, and no line over it */
  values: readonly (number | null)[]
  /** CSS colours: of text, of lines behind, and of each value */
  ink: string
  faint: string
  fills: readonly string[]
  font: string
  /** A value as it is written */
  written: (value: number) => string
  /** The scale ends there at least */
  top?: number
  /** Nobody comes by half */
  whole: boolean
}

/** Draw it anew; what was drawn on the canvas before is gone. */
export function draw(canvas: HTMLCanvasElement, drawing: Drawing): () => void {
  const { kind, ink, faint, fills, font, written } = drawing
  const ticks = { color: ink, font: { family: font, size: 12 } }
  const chart = new Chart(canvas, {
    type: kind,
    plugins: kind === 'bar' ? [figures(drawing) as Plugin] : [],
    data: {
      labels: [...drawing.labels],
      datasets: [
        {
          data: [...drawing.values],
          backgroundColor: [...fills],
          borderColor: kind === 'line' ? (fills[0] ?? ink) : [...fills],
          borderWidth: kind === 'line' ? 2 : 0,
          ...(kind === 'line'
            ? { pointRadius: 3.5, spanGaps: false, tension: 0 }
            : { borderRadius: 3, maxBarThickness: 44 }),
        },
      ],
    },
    options: {
      animation: false,
      layout: { padding: { top: kind === 'bar' ? 16 : 4 } },
      responsive: true,
      maintainAspectRatio: false,
      plugins: {
        tooltip: { displayColors: false, callbacks: { label: (item) => written(Number(item.raw)) } },
      },
      scales: {
        x: { ticks: { ...ticks, maxRotation: 50 }, grid: { display: false }, border: { color: faint } },
        y: {
          beginAtZero: true,
          ...(drawing.top === undefined ? {} : { suggestedMax: drawing.top }),
          ticks: { ...ticks, maxTicksLimit: 6, precision: drawing.whole ? 0 : 2, callback: (value) => written(Number(value)) },
          grid: { color: faint },
          border: { display: false },
        },
      },
    },
  })
  return () => chart.destroy()
}

/** Above each bar what it comes to, so that nobody measures it by the lines behind. */
const figures = ({ values, written, ink, font }: Drawing): Plugin<'bar'> => ({
  id: 'figures',
  afterDatasetsDraw(chart) {
    const { ctx } = chart
    ctx.save()
    ctx.fillStyle = ink
    ctx.font = `12px ${font}`
    ctx.textAlign = 'center'
    ctx.textBaseline = 'bottom'
    chart.getDatasetMeta(0).data.forEach((bar, at) => {
      const value = values[at]
      if (value) ctx.fillText(written(value), bar.x, bar.y - 2)
    })
    ctx.restore()
  },
})
