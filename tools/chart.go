package tools

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// The size of a chart, in pixels: what clients show without scaling it down.
const (
	chartWidth  = 900
	chartHeight = 420
)

const pngType = "image/png"

// draw makes a chart for each metric: a line for each value of the dimension,
// dashed for the period before.
func (o *QueryTimeSeriesOutput) draw() ([]Image, error) {
	if len(o.Times) < 2 {
		return nil, nil // a line needs two points
	}
	times := make([]time.Time, len(o.Times))
	for i, text := range o.Times {
		t, err := time.Parse("2006-01-02T15:04Z", text)
		if err != nil {
			return nil, fmt.Errorf("draw a chart: %w", err)
		}
		times[i] = t
	}
	var images []Image
	for _, metric := range guard.Metrics() {
		lines, most := o.linesOf(metric, times)
		if len(lines) == 0 {
			continue
		}
		grid := chart.Style{StrokeColor: drawing.ColorFromHex("e5e5e5"), StrokeWidth: 1}
		graph := chart.Chart{
			Width: chartWidth, Height: chartHeight,
			Background: chart.Style{Padding: chart.Box{Top: 50, Left: 20, Right: 40, Bottom: 20}},
			XAxis:      chart.XAxis{Ticks: timeTicks(times, o.Interval)},
			YAxis: chart.YAxis{AxisType: chart.YAxisSecondary, Ticks: amountTicks(metric, most), GridMajorStyle: grid,
				Range: &chart.ContinuousRange{}},
			Series: lines,
		}
		graph.Elements = []chart.Renderable{chart.LegendThin(&graph, chart.Style{StrokeColor: drawing.ColorWhite, FontSize: 10})}
		image, err := render(graph)
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	return images, nil
}

// linesOf are the lines of one metric, and the largest number in them.
func (o *QueryTimeSeriesOutput) linesOf(metric string, times []time.Time) (lines []chart.Series, most int64) {
	add := func(name string, style chart.Style, points []int64) {
		values := make([]float64, len(points))
		for i, p := range points {
			values[i] = float64(p)
			most = max(most, p)
		}
		lines = append(lines, chart.TimeSeries{Name: name, Style: style, XValues: times, YValues: values})
	}
	n := 0
	for _, s := range o.Series {
		if s.Metric != metric {
			continue
		}
		color := chart.GetDefaultColor(n)
		n++
		name := metric
		if s.Value != "" {
			name = clipLabel(s.Value, 24)
		}
		add(name, chart.Style{StrokeColor: color, StrokeWidth: 2}, s.Points)
		if s.Previous != nil {
			add(name+", period before", chart.Style{StrokeColor: color.WithAlpha(130), StrokeWidth: 1.5, StrokeDashArray: []float64{5, 4}}, s.Previous)
		}
	}
	return lines, most
}

// draw makes a chart of horizontal bars for each table: names of paths and user
// agents are long, so they need lines of their own. go-chart's own bars stand
// upright, with their names side by side; this uses its renderer alone.
func (o *QueryTopDataOutput) draw() ([]Image, error) {
	var images []Image
	for _, table := range o.Tables {
		if len(table.Rows) == 0 {
			continue
		}
		image, err := drawBars(o.Metric+" by "+table.Dimension, o.Metric, table.Rows[:min(maxBars, len(table.Rows))])
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	return images, nil
}

const maxBars = 15

func drawBars(title, metric string, rows []TopRow) (Image, error) {
	const left, right, top = 330, chartWidth - 90, 50
	r, err := chart.PNG(chartWidth, chartHeight)
	if err != nil {
		return Image{}, fmt.Errorf("draw a chart: %w", err)
	}
	font, err := chart.GetDefaultFont()
	if err != nil {
		return Image{}, fmt.Errorf("draw a chart: %w", err)
	}
	text := chart.Style{Font: font, FontSize: 10, FontColor: drawing.ColorFromHex("333333")}
	chart.Draw.Box(r, chart.Box{Right: chartWidth, Bottom: chartHeight}, chart.Style{FillColor: drawing.ColorWhite, StrokeColor: drawing.ColorWhite})
	heading := text
	heading.FontSize = 13
	chart.Draw.Text(r, title, 20, 30, heading)
	most := int64(1)
	for _, row := range rows {
		most = max(most, row.Count)
	}
	color := chart.GetDefaultColor(0)
	step := (chartHeight - top - 20) / maxBars
	for i, row := range rows {
		y := top + i*step
		end := left + int(float64(right-left)*float64(row.Count)/float64(most))
		chart.Draw.Text(r, clipLabel(row.Value, 44), 20, y+step*2/3, text)
		chart.Draw.Box(r, chart.Box{Top: y + 3, Left: left, Right: max(end, left+1), Bottom: y + step - 3}, chart.Style{FillColor: color, StrokeColor: color})
		chart.Draw.Text(r, amountText(metric, float64(row.Count)), max(end, left+1)+8, y+step*2/3, text)
	}
	var b bytes.Buffer
	if err := r.Save(&b); err != nil {
		return Image{}, fmt.Errorf("draw a chart: %w", err)
	}
	return Image{MIMEType: pngType, Data: b.Bytes()}, nil
}

// timeTicks marks about eight of the times.
func timeTicks(times []time.Time, interval int) []chart.Tick {
	layout := "15:04"
	switch {
	case interval >= 86400:
		layout = "Jan 2"
	case interval >= 3600:
		layout = "Jan 2 15:04"
	}
	var ticks []chart.Tick
	for i := 0; i < len(times); i += (len(times) + 7) / 8 {
		ticks = append(ticks, chart.Tick{Value: chart.TimeToFloat64(times[i]), Label: times[i].Format(layout)})
	}
	// The axis ends with its last tick, and so would the lines.
	ticks = append(ticks, chart.Tick{Value: chart.TimeToFloat64(times[len(times)-1])})
	return ticks
}

// amountTicks are round numbers from 0 to beyond the largest.
func amountTicks(metric string, most int64) []chart.Tick {
	base, _ := unitsOf(metric)
	step := 0.0
	for unit := 1.0; step == 0; unit *= base {
		for _, round := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500} {
			if unit*round*5 >= float64(most) {
				step = unit * round
				break
			}
		}
	}
	var ticks []chart.Tick
	for v := 0.0; ; v += step {
		ticks = append(ticks, chart.Tick{Value: v, Label: amountText(metric, v)})
		if v >= float64(most) && v > 0 {
			return ticks
		}
	}
}

// render makes the PNG.
func render(graph interface {
	Render(chart.RendererProvider, io.Writer) error
}) (Image, error) {
	var b bytes.Buffer
	if err := graph.Render(chart.PNG, &b); err != nil {
		return Image{}, fmt.Errorf("draw a chart: %w", err)
	}
	return Image{MIMEType: pngType, Data: b.Bytes()}, nil
}

// unitsOf says how the numbers of a metric are shortened.
func unitsOf(metric string) (base float64, units []string) {
	if metric == "Traffic" || metric == "RequestTraffic" {
		return 1024, []string{" B", " KiB", " MiB", " GiB", " TiB"}
	}
	return 1000, []string{"", " K", " M", " G", " T"}
}

// amountText writes a count with K, M ..., and bytes with their units.
func amountText(metric string, f float64) string {
	base, units := unitsOf(metric)
	i := 0
	for f >= base && i < len(units)-1 {
		f, i = f/base, i+1
	}
	return fmt.Sprintf("%.4g%s", f, units[i])
}

// clipLabel shortens a text for a place in a chart.
func clipLabel(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
