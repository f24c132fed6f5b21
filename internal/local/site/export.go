package site

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// exportRecords answers ExportRecords: all records of a site in the manner of a
// zone file. As on the service each line ends with a word that zone files do not
// have, so that it has to be taken off before another server can read the text.
func (s *Service) exportRecords(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	t, err := find(ctx, s.store.DB(), id)
	if err != nil {
		return nil, err
	}
	records, err := selectRecords(ctx, s.store.DB(), `WHERE r.site_id = ? ORDER BY r.name, r.id`, id)
	if err != nil {
		return nil, fmt.Errorf("list the site's records: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, ";;\n;; site:     %s.\n;; Exported: %s\n;;\n", t.name, s.cfg.Now().UTC().Format("2006-01-02 15:04:05"))
	for _, kind := range recordTypes {
		started := false
		for _, rec := range records {
			if rec.kind != kind {
				continue
			}
			if !started {
				fmt.Fprintf(&b, "\n;; %s Records\n", kind)
				started = true
			}
			rec.export(&b)
		}
	}
	return struct{ Content string }{b.String()}, nil
}

// export writes a record: an address record as one line an address.
func (rec *record) export(b *strings.Builder) {
	way := "direct"
	if rec.proxied {
		way = "proxied"
	}
	line := func(kind, data string) {
		fmt.Fprintf(b, "%s.\t%d\tIN\t%s\t%s\t%s\n", rec.name, rec.ttl, kind, data, way)
	}
	if rec.kind != typeAddress {
		line(rec.kind, rec.zoneData())
		return
	}
	for text := range strings.SplitSeq(rec.data.Value, ",") {
		kind := "A"
		if ip, err := netip.ParseAddr(strings.TrimSpace(text)); err == nil && ip.Is6() {
			kind = "AAAA"
		}
		line(kind, strings.TrimSpace(text))
	}
}

// zoneData is the data of a record as zone files write it.
func (rec *record) zoneData() string {
	d := rec.data
	host := strings.TrimSuffix(d.Value, ".") + "."
	switch rec.kind {
	case typeCNAME, typeNS:
		return host
	case "MX":
		return numbers(d.Priority) + " " + host
	case typeSRV:
		return numbers(d.Priority, d.Weight, d.Port) + " " + host
	case "TXT":
		return quoteText(d.Value)
	case "CAA":
		return numbers(d.Flag) + " " + d.Tag + " " + quoted(d.Value)
	case "CERT":
		return numbers(d.Type, d.KeyTag, d.Algorithm) + " " + d.Certificate
	case "SMIMEA", "TLSA":
		return numbers(d.Usage, d.Selector, d.MatchingType) + " " + d.Certificate
	case "SSHFP":
		return numbers(d.Algorithm, d.Type) + " " + d.Fingerprint
	case "URI":
		return numbers(d.Priority, d.Weight) + " " + quoted(d.Value)
	}
	return d.Value
}

func numbers(list ...*int64) string {
	texts := make([]string, len(list))
	for i, n := range list {
		if n != nil {
			texts[i] = strconv.FormatInt(*n, 10)
		}
	}
	return strings.Join(texts, " ")
}

// quoted writes a character string: quotes, backslashes and bytes that are not
// printable ASCII are escaped.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(text) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quoteText writes a text as character strings of at most 255 bytes.
func quoteText(text string) string {
	const most = 255
	var parts []string
	for len(text) > most {
		parts, text = append(parts, quoted(text[:most])), text[most:]
	}
	return strings.Join(append(parts, quoted(text)), " ")
}
