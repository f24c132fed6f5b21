package site

import (
	"encoding/base64"
	"encoding/hex"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// checkData checks the members of Data that the record's type takes.
func (rec *record) checkData(cfg Config) error {
	d := &rec.data
	switch rec.kind {
	case typeAddress:
		return checkAddresses(d.Value, rec.proxied, cfg)
	case typeCNAME:
		return rec.checkTarget()
	case typeNS:
		return firstError(checkHost(d.Value))
	case "MX":
		return firstError(checkHost(d.Value), within16("Priority", d.Priority, "Record.RecordPriorityExceedLimit"))
	case "TXT":
		return checkText(d.Value)
	case typeSRV:
		return firstError(checkHost(d.Value),
			within16("Priority", d.Priority, "Record.RecordPriorityExceedLimit"),
			within16("Weight", d.Weight, "Record.RecordWeightExceedLimit"),
			within16("Port", d.Port, "Record.SRVRecordPortExceedLimit"))
	case "CAA":
		return firstError(within8("Flag", d.Flag, "Record.CAARecordFlagExceedLimit"), checkCAA(d.Tag, d.Value))
	case "CERT":
		return firstError(
			within16("Type", d.Type, "Record.CERTRecordTypeExceedLimit"),
			within16("KeyTag", d.KeyTag, "Record.CERTRecordKeyTagExceedLimit"),
			within8("Algorithm", d.Algorithm, "Record.CERTRecordAlgorithmExceedLimit"),
			checkBase64(d.Certificate, "Record.InvalidCertEncodeWithCERTRecord"))
	case "SMIMEA":
		return firstError(checkUsage(d), checkBase64(d.Certificate, "Record.InvalidSmimeaEncodeWithSMIMEARecord"))
	case "TLSA":
		return firstError(checkUsage(d), checkHex("Certificate", d.Certificate, "Record.InvalidTslaEncodeWithTSLARecord"))
	case "SSHFP":
		return firstError(
			within8("Algorithm", d.Algorithm, "Record.SSHFPRecordAlgorithmExceedLimit"),
			within8("Type", d.Type, "Record.TypeExceedLimitWithSSHFPRecord"),
			checkHex("Fingerprint", d.Fingerprint, "Record.InvalidFingerprintWithSSHFPRecord"))
	case "URI":
		return firstError(checkURI(d.Value),
			within16("Priority", d.Priority, "Record.RecordPriorityExceedLimit"),
			within16("Weight", d.Weight, "Record.RecordWeightExceedLimit"))
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func emptyValue(name string) error {
	return api.Errorf(400, "Record.EmptyRecordValue", "Data.%s must not be empty.", name)
}

// checkAddresses wants up to 8 IPv4 and 4 IPv6 addresses, joined with commas.
// The documentation asks for at least one IPv4 address; whether the service
// insists is not known, so an IPv6-only record passes here.
func checkAddresses(value string, proxied bool, cfg Config) error {
	if strings.TrimSpace(value) == "" {
		return emptyValue("Value")
	}
	var v4, v6 int
	for _, text := range strings.Split(value, ",") {
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || ip.Zone() != "" || ip.Is4In6() {
			return api.Errorf(400, "Record.AorAAAARecordValueContainInvalidIP", "%q in Data.Value is not an IP address.", clip(text))
		}
		if ip.Is4() {
			v4++
		} else {
			v6++
		}
		if proxied && !public(ip) && !cfg.AllowOrigin(ip) {
			return api.Errorf(400, "InvalidParameter.PrivateIpAsSourceUnsupported",
				"%s is a private or reserved address, which the edge cannot reach.", ip)
		}
		if proxied && cfg.RefuseOrigin(ip) {
			return api.Errorf(400, "InvalidParameter.SourceIpInBlacklist", "%s is not taken as an origin.", ip)
		}
	}
	if v4 > 8 || v6 > 4 {
		return api.Errorf(400, "Record.AorAAAARecordValueIPExceedLimit",
			"A record holds at most 8 IPv4 and 4 IPv6 addresses, not %d and %d.", v4, v6)
	}
	return nil
}

// reserved are the blocks beyond those that net/netip knows which no public
// origin can have. The blocks for documentation are left out: examples use them.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

func public(ip netip.Addr) bool {
	for _, block := range reserved {
		if block.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// hostOf is a host in Data as it is compared: lower case, without the dot that
// may end it.
func hostOf(value string) string { return strings.ToLower(strings.TrimSuffix(value, ".")) }

func (rec *record) checkTarget() error {
	target := hostOf(rec.data.Value)
	switch {
	case target == "":
		return emptyValue("Value")
	case len(target) > 253:
		return api.Errorf(400, "Record.CNameRecordValueExceedLimit", "The target is longer than 253 characters.")
	case target == rec.name:
		return api.Errorf(400, "Record.CNameRecordValueCannotEqualHostRecord", "A CNAME record cannot point to itself.")
	case !validDomain(target, !rec.proxied):
		return api.Errorf(400, "Record.CNameRecordValueInvalidRecordDomain",
			"%q is not a domain name that a CNAME record can point to; the target of a proxied one must not have an underscore.", clip(target))
	}
	return nil
}

func checkHost(value string) error {
	if value == "" {
		return emptyValue("Value")
	}
	if !validDomain(hostOf(value), true) {
		return api.Errorf(400, "InvalidParameter.RecordData", "Data.Value %q is not a domain name.", clip(value))
	}
	return nil
}

func checkText(value string) error {
	if value == "" {
		return emptyValue("Value")
	}
	if n := utf8.RuneCountInString(value); n > 450 {
		return api.Errorf(400, "Record.TXTRecordValueExceedLimit", "The text has %d characters, more than 450.", n)
	}
	return nil
}

func within8(name string, n *int64, code string) error  { return inRange(name, n, 255, code) }
func within16(name string, n *int64, code string) error { return inRange(name, n, 65535, code) }

func inRange(name string, n *int64, most int64, code string) error {
	if n == nil {
		return api.Errorf(400, "InvalidParameter.RecordData", "Data.%s is missing.", name)
	}
	if *n < 0 || *n > most {
		return api.Errorf(400, code, "Data.%s must be between 0 and %d, not %d.", name, most, *n)
	}
	return nil
}

func checkUsage(d *recordData) error {
	return firstError(
		within8("Usage", d.Usage, "Record.RecordUsageExceedLimit"),
		within8("Selector", d.Selector, "Record.RecordSelectorExceedLimit"),
		within8("MatchingType", d.MatchingType, "Record.RecordMatchingTypeExceedLimit"))
}

func checkBase64(text, code string) error {
	if text == "" {
		return emptyValue("Certificate")
	}
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return api.Errorf(400, code, "Data.Certificate is not Base64.")
	}
	return nil
}

func checkHex(name, text, code string) error {
	if text == "" {
		return emptyValue(name)
	}
	if _, err := hex.DecodeString(text); err != nil {
		return api.Errorf(400, code, "Data.%s is not hexadecimal.", name)
	}
	return nil
}

func checkURI(value string) error {
	if value == "" {
		return emptyValue("Value")
	}
	if u, err := url.Parse(value); err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
		return api.Errorf(400, "Record.InvalidURLWithURIRecord", "Data.Value must be a URL.")
	}
	return nil
}

// checkCAA checks what a tag allows: a certificate authority with parameters, or
// where to report to.
func checkCAA(tag, value string) error {
	switch tag {
	case "issue", "issuewild":
		issuer, _, parameters := strings.Cut(value, ";")
		issuer = strings.TrimSpace(issuer)
		if issuer == "" && parameters || validDomain(strings.ToLower(issuer), false) {
			return nil // a lone semicolon forbids every issuer
		}
		if value == "" {
			return emptyValue("Value")
		}
		return api.Errorf(400, "Record.InvalidIssueDataWithCAARecordTag", "Data.Value must be a domain name, with parameters after semicolons.")
	case "iodef":
		return checkIodef(value)
	}
	return api.Errorf(400, "Record.CAARecordTagExceedLimit", "Data.Tag must be issue, issuewild or iodef.")
}

func checkIodef(value string) error {
	if value == "" {
		return emptyValue("Value")
	}
	scheme, rest, _ := strings.Cut(value, ":")
	switch strings.ToLower(scheme) {
	case "mailto":
		if a, err := mail.ParseAddress(rest); err != nil || a.Address != rest {
			return api.Errorf(400, "Record.InvalidMailAddressWithCAARecordTag", "A mail address must follow mailto:.")
		}
	case "http", "https":
		if u, err := url.Parse(value); err != nil || u.Host == "" {
			return api.Errorf(400, "Record.InvalidHTTPURLValueWithCAARecordTag", "Data.Value is not a valid HTTP address.")
		}
	default:
		return api.Errorf(400, "Record.InvalidIodefDataWithCAARecordTag", "Data.Value must begin with mailto:, http: or https:.")
	}
	return nil
}
