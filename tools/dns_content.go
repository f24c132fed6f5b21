package tools

import (
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// recordTypes are the types that ESA has.
func recordTypes() []string {
	return []string{typeAddress, typeCNAME, "MX", "TXT", "NS", "SRV", "CAA", "CERT", "SMIMEA", "SSHFP", "TLSA", "URI"}
}

// content reads the value of a record as a person writes it: addresses with
// commas or blanks between them, a host, a text, or what a zone file has after
// the type. priority may stand beside it.
func content(typ, value string, priority *int64) (RecordData, error) {
	if !slices.Contains(recordTypes(), typ) {
		return RecordData{}, Refuse("type %q: ESA has %s.", typ, strings.Join(recordTypes(), ", "))
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return RecordData{}, Refuse("value is missing: give what the %s record says.", typ)
	}
	if priority != nil && typ != "MX" && typ != "SRV" && typ != "URI" {
		return RecordData{}, Refuse("priority is for MX, SRV and URI records: leave it out for %s.", typ)
	}
	if priority != nil && *priority > 65535 {
		return RecordData{}, Refuse("priority %d: give a number up to 65535.", *priority)
	}
	switch typ {
	case typeAddress:
		list, err := addresses(value)
		return RecordData{Value: strings.Join(list, ",")}, err
	case typeCNAME, "NS":
		return RecordData{Value: strings.TrimSuffix(value, ".")}, nil
	case "TXT":
		return RecordData{Value: unquoteText(value)}, nil
	}
	data, err := zoneContent(typ, value)
	if err != nil && priority != nil {
		// The priority stands beside the value and not in it.
		data, err = zoneContent(typ, strconv.FormatInt(*priority, 10)+" "+value)
	}
	if err != nil {
		return RecordData{}, Refuse("value %q is not what a %s record has: write it as in a zone file, such as %s.", value, typ, contentExample(typ))
	}
	if priority != nil {
		data.Priority = priority
	}
	return data, nil
}

// contentExample shows what a type's value looks like.
func contentExample(typ string) string {
	return map[string]string{
		"MX": "10 mail.example.com", "SRV": "1 5 5060 sip.example.com", "CAA": `0 issue "letsencrypt.org"`,
		"CERT": "1 12345 8 BASE64", "SMIMEA": "3 1 1 HEX", "TLSA": "3 1 1 HEX", "SSHFP": "4 2 HEX", "URI": `1 5 "https://example.com/"`,
	}[typ]
}

// addresses reads IP addresses, each once, in their short form.
func addresses(value string) ([]string, error) {
	var list []string
	for _, text := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\n' }) {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" || ip.Is4In6() {
			return nil, Refuse("value: %q is not an IP address; a host name needs type CNAME.", text)
		}
		if s := ip.String(); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil, Refuse("value is missing: give one or more IP addresses.")
	}
	return list, nil
}

// unquoteText takes the quotes of a zone file off a text.
func unquoteText(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	rr, err := dns.NewRR("x. 1 IN TXT " + value)
	if txt, ok := rr.(*dns.TXT); ok && err == nil {
		return joinStrings(txt.Txt)
	}
	return value
}

// zoneContent reads what a zone file has after the type.
func zoneContent(typ, value string) (RecordData, error) {
	if strings.ContainsAny(value, "\n\r") {
		return RecordData{}, Refuse("value has more than one line.")
	}
	rr, err := dns.NewRR("x. 1 IN " + typ + " " + value)
	if err != nil {
		return RecordData{}, err
	}
	data, ok := dataOf(rr)
	if !ok {
		return RecordData{}, Refuse("value is not a %s record.", typ)
	}
	return data, nil
}

// dataOf is what ESA keeps of a resource record; false if it does not have the
// type.
func dataOf(rr dns.RR) (RecordData, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		return RecordData{Value: rr.A.String()}, true
	case *dns.AAAA:
		return RecordData{Value: rr.AAAA.String()}, true
	case *dns.CNAME:
		return RecordData{Value: dnsHost(rr.Target)}, true
	case *dns.NS:
		return RecordData{Value: dnsHost(rr.Ns)}, true
	case *dns.TXT:
		return RecordData{Value: joinStrings(rr.Txt)}, true
	case *dns.MX:
		return RecordData{Value: dnsHost(rr.Mx), Priority: uintPointer(rr.Preference)}, true
	case *dns.SRV:
		return RecordData{Value: dnsHost(rr.Target), Priority: uintPointer(rr.Priority), Weight: uintPointer(rr.Weight), Port: uintPointer(rr.Port)}, true
	case *dns.CAA:
		return RecordData{Flag: uintPointer(rr.Flag), Tag: rr.Tag, Value: unescape(rr.Value)}, true
	case *dns.CERT:
		return RecordData{Type: uintPointer(rr.Type), KeyTag: uintPointer(rr.KeyTag), Algorithm: uintPointer(rr.Algorithm), Certificate: rr.Certificate}, true
	case *dns.TLSA:
		return RecordData{Usage: uintPointer(rr.Usage), Selector: uintPointer(rr.Selector), MatchingType: uintPointer(rr.MatchingType), Certificate: rr.Certificate}, true
	case *dns.SMIMEA:
		return RecordData{Usage: uintPointer(rr.Usage), Selector: uintPointer(rr.Selector), MatchingType: uintPointer(rr.MatchingType), Certificate: asBase64(rr.Certificate)}, true
	case *dns.SSHFP:
		return RecordData{Algorithm: uintPointer(rr.Algorithm), Type: uintPointer(rr.Type), Fingerprint: rr.FingerPrint}, true
	case *dns.URI:
		return RecordData{Priority: uintPointer(rr.Priority), Weight: uintPointer(rr.Weight), Value: unescape(rr.Target)}, true
	}
	return RecordData{}, false
}

func uintPointer[T uint8 | uint16](n T) *int64 {
	v := int64(n)
	return &v
}

// dnsHost is a name without the dot that ends it in zone files.
func dnsHost(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// asBase64 is how ESA wants the certificate of an SMIMEA record, which zone
// files write in hexadecimal.
func asBase64(text string) string {
	if raw, err := hex.DecodeString(text); err == nil {
		return base64.StdEncoding.EncodeToString(raw)
	}
	return text
}

// joinStrings is the text of character strings.
func joinStrings(parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(unescape(p))
	}
	return b.String()
}

// unescape takes the backslashes of a zone file out of a text: \" and \195.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\\' || i+1 == len(text):
			b.WriteByte(text[i])
		case i+3 < len(text) && isDigits(text[i+1:i+4]):
			b.WriteByte((text[i+1]-'0')*100 + (text[i+2]-'0')*10 + text[i+3] - '0')
			i += 3
		default:
			i++
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// ttlFits refuses what ESA does not take as a TTL.
func ttlFits(ttl int64) error {
	if ttl == 1 || ttl >= 30 && ttl <= 86400 {
		return nil
	}
	return Refuse("ttl %d: give 1 (automatic) or 30 to 86400 seconds (dns-ttl).", ttl)
}

// bizFits settles the acceleration type: a proxied record needs one, any other
// must have none.
func bizFits(biz string, proxied bool) (string, []esa.Note, error) {
	switch {
	case !proxied && biz != "":
		return "", nil, Refuse("biz_name is for proxied records: leave it out, or set proxied to true (dns-biz-unproxied).")
	case proxied && biz == "":
		return "web", []esa.Note{{ID: "dns-biz", Text: "A proxied record needs a biz_name: used web."}}, nil
	}
	return biz, nil, nil
}
