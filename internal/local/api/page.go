package api

// Page is the part of a list that a request asks for.
type Page struct {
	Number, Size int64
}

// Page reads PageNumber (1 if not sent) and PageSize (size if not sent, at most
// most). Values outside are InvalidPageNumber and InvalidPageSize.
func (p Params) Page(size, most int64) (Page, error) {
	number, err := p.Int("PageNumber", 1)
	if err != nil {
		return Page{}, err
	}
	if number < 1 {
		return Page{}, Errorf(400, "InvalidPageNumber", "PageNumber must be 1 or more, not %d.", number)
	}
	if size, err = p.Int("PageSize", size); err != nil {
		return Page{}, err
	}
	if size < 1 || size > most {
		return Page{}, Errorf(400, "InvalidPageSize", "PageSize must be between 1 and %d, not %d.", most, size)
	}
	return Page{Number: number, Size: size}, nil
}

// Offset is the number of entries before the page. It saturates instead of
// overflowing: no list is that long.
func (p Page) Offset() int64 {
	const far = 1 << 62
	if p.Number-1 > far/p.Size {
		return far
	}
	return (p.Number - 1) * p.Size
}
