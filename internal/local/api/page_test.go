package api

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPage(t *testing.T) {
	for name, c := range map[string]struct {
		params Params
		want   Page
		code   string
	}{
		"defaults":       {Params{}, Page{1, 50}, ""},
		"given":          {Params{"PageNumber": "3", "PageSize": "10"}, Page{3, 10}, ""},
		"largest":        {Params{"PageSize": "100"}, Page{1, 100}, ""},
		"number zero":    {Params{"PageNumber": "0"}, Page{}, "InvalidPageNumber"},
		"number text":    {Params{"PageNumber": "x"}, Page{}, "InvalidPageNumber"},
		"size zero":      {Params{"PageSize": "0"}, Page{}, "InvalidPageSize"},
		"size too large": {Params{"PageSize": "101"}, Page{}, "InvalidPageSize"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.params.Page(50, 100)
			require.Equal(t, c.want, got)
			var e *Error
			if c.code == "" {
				require.NoError(t, err)
			} else {
				require.True(t, errors.As(err, &e))
				require.Equal(t, c.code, e.Code)
			}
		})
	}
	require.Equal(t, int64(20), Page{3, 10}.Offset())
	require.Positive(t, Page{math.MaxInt64, 100}.Offset())
}
