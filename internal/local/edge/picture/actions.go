package picture

import (
	"fmt"
	"image"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
)

// params are those of one action: w_200,h_100 and words without a value.
type params struct {
	numbers map[string]int
	words   map[string]string
	flag    string // the last part that names no parameter: mid, webp, 90
}

func parse(text string) params {
	p := params{numbers: map[string]int{}, words: map[string]string{}}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "_")
		n, err := strconv.Atoi(value)
		switch {
		case !ok:
			p.flag = part
		case err != nil:
			p.words[name] = value
		default:
			p.numbers[name] = min(max(n, -maxPixels), 4*maxPixels) // so that products stay within numbers
		}
	}
	return p
}

// negative reports whether a parameter is: such an action changes nothing.
func (p params) negative() bool {
	for _, n := range p.numbers {
		if n < 0 {
			return true
		}
	}
	return false
}

// quality is the one that is asked for: Q says it, q is a share of what it would
// be otherwise.
func (p params) quality(otherwise int) int {
	n := otherwise
	if share, ok := p.numbers["q"]; ok {
		n = otherwise * share / 100
	}
	if said, ok := p.numbers["Q"]; ok {
		n = said
	}
	return min(max(n, 1), 100)
}

// resize scales an image.
func resize(m image.Image, p params) (image.Image, error) {
	size := m.Bounds().Size()
	to := target(size, p)
	if p.negative() || to == size || to.X <= 0 || to.Y <= 0 || p.numbers["limit"] == 1 && (to.X > size.X || to.Y > size.Y) {
		return m, nil
	}
	if to.X > maxPixels || to.Y > maxPixels || to.X*to.Y > maxPixels {
		return nil, fmt.Errorf("the result of %dx%d pixels is too large", to.X, to.Y)
	}
	scaled := image.NewNRGBA(image.Rectangle{Max: to})
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), m, m.Bounds(), draw.Src, nil)
	return scaled, nil
}

// target is the size that an image is scaled to: exactly fw and fh, within w and
// h, so that the longer side is l or the shorter one s, or p percent. Proportions
// stay but for fw with fh.
func target(size image.Point, p params) image.Point {
	by := func(part, whole int) image.Point {
		return image.Pt(scale(size.X, part, whole), scale(size.Y, part, whole))
	}
	long, short := max(size.X, size.Y), min(size.X, size.Y)
	n := p.numbers
	switch {
	case n["fw"] > 0 && n["fh"] > 0:
		return image.Pt(n["fw"], n["fh"])
	case n["fw"] > 0:
		return by(n["fw"], size.X)
	case n["fh"] > 0:
		return by(n["fh"], size.Y)
	case n["w"] > 0 && n["h"] > 0:
		if int64(n["w"])*int64(size.Y) < int64(n["h"])*int64(size.X) {
			return by(n["w"], size.X)
		}
		return by(n["h"], size.Y)
	case n["w"] > 0:
		return by(n["w"], size.X)
	case n["h"] > 0:
		return by(n["h"], size.Y)
	case n["l"] > 0:
		return by(n["l"], long)
	case n["s"] > 0:
		return by(n["s"], short)
	case n["p"] > 0:
		return by(n["p"], 100)
	}
	return size
}

// scale is a length times part/whole, rounded; 1 at least.
func scale(length, part, whole int) int {
	return max(1, int(min((int64(length)*int64(part)+int64(whole)/2)/int64(whole), maxPixels+1)))
}

// crop takes a part of an image: of w and h pixels, from x and y on, from a ninth
// of it on, or from its middle.
func crop(m image.Image, p params) (image.Image, error) {
	b := m.Bounds()
	w, h := p.numbers["w"], p.numbers["h"]
	if p.negative() || w == 0 && h == 0 {
		return m, nil
	}
	if w == 0 {
		w = b.Dx()
	}
	if h == 0 {
		h = b.Dy()
	}
	w, h = min(w, b.Dx()), min(h, b.Dy())
	from := image.Pt(p.numbers["x"], p.numbers["y"])
	if at, ok := ninth(p.words["g"]); ok {
		from = from.Add(image.Pt(b.Dx()*at.X/3, b.Dy()*at.Y/3))
	}
	if p.flag == "mid" {
		from = image.Pt((b.Dx()-w)/2, (b.Dy()-h)/2)
	}
	part := image.Rect(from.X, from.Y, from.X+w, from.Y+h).Add(b.Min).Intersect(b)
	if part.Empty() {
		return m, nil
	}
	cut := image.NewNRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(cut, cut.Bounds(), m, part.Min, draw.Src)
	return cut, nil
}

// ninth is a tile of the grid of nine, by its name.
func ninth(name string) (image.Point, bool) {
	for y, row := range [][]string{{"nw", "north", "ne"}, {"west", "center", "east"}, {"sw", "south", "se"}} {
		for x, one := range row {
			if one == name {
				return image.Pt(x, y), true
			}
		}
	}
	return image.Point{}, false
}

// rotate turns an image clockwise by a right angle or several; other angles
// change nothing.
func rotate(m image.Image, angle string) image.Image {
	degrees, err := strconv.Atoi(angle)
	turns := degrees / 90
	if err != nil || degrees%90 != 0 || turns < 1 || turns > 3 {
		return m
	}
	for range turns {
		b := m.Bounds()
		turned := image.NewNRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
		for y := range b.Dy() {
			for x := range b.Dx() {
				turned.Set(b.Dy()-1-y, x, m.At(b.Min.X+x, b.Min.Y+y))
			}
		}
		m = turned
	}
	return m
}
