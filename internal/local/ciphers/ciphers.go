// Package ciphers has the cipher suites that visitors' TLS may be limited to, by
// the names that the API has for them.
//
// It must not know sites nor connections.
package ciphers

import (
	"crypto/tls"
	"slices"
	"strings"
)

// Suite is a cipher suite.
type Suite struct {
	Name string // ECDHE-RSA-AES128-GCM-SHA256
	ID   uint16 // 0: this program has none of it
}

// Strict are the suites of the group strict, those of TLS 1.3 first.
func Strict() []Suite {
	return []Suite{
		{"TLS_AES_256_GCM_SHA384", tls.TLS_AES_256_GCM_SHA384},
		{"TLS_CHACHA20_POLY1305_SHA256", tls.TLS_CHACHA20_POLY1305_SHA256},
		{"TLS_AES_128_GCM_SHA256", tls.TLS_AES_128_GCM_SHA256},
		{"ECDHE-ECDSA-AES128-GCM-SHA256", tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		{"ECDHE-ECDSA-AES256-GCM-SHA384", tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
		{"ECDHE-RSA-AES128-GCM-SHA256", tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		{"ECDHE-RSA-AES256-GCM-SHA384", tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		{"ECDHE-ECDSA-CHACHA20-POLY1305", tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		{"ECDHE-RSA-CHACHA20-POLY1305", tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256},
	}
}

// Weak are those that the group all has besides.
func Weak() []Suite {
	return []Suite{
		{"ECDHE-RSA-AES128-SHA256", tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256},
		{"ECDHE-RSA-AES256-SHA384", 0},
		{"AES128-GCM-SHA256", tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		{"AES256-GCM-SHA384", tls.TLS_RSA_WITH_AES_256_GCM_SHA384},
		{"AES128-SHA256", tls.TLS_RSA_WITH_AES_128_CBC_SHA256},
		{"AES256-SHA", tls.TLS_RSA_WITH_AES_256_CBC_SHA},
	}
}

// Group returns the suites for TLS up to 1.2 that a group allows; custom are those
// of the group custom, by their names here or those of IANA. nil means that nothing
// is limited; those of TLS 1.3 never are.
func Group(group, custom string) []uint16 {
	switch group {
	case "all":
		ids := idsOf(Weak())
		for _, s := range tls.CipherSuites() { // those of older versions, too
			ids = append(ids, s.ID)
		}
		return ids
	case "strict":
		return idsOf(Strict())
	case "custom":
		return named(custom)
	}
	return nil
}

func idsOf(list []Suite) []uint16 {
	ids := []uint16{}
	for _, s := range list {
		if s.ID != 0 {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// named reads a list of names, which commas, colons or blanks separate.
func named(text string) []uint16 {
	known := map[string]uint16{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		known[s.Name] = s.ID
	}
	for _, s := range slices.Concat(Strict(), Weak()) {
		known[s.Name] = s.ID
	}
	var list []Suite
	for _, name := range strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return strings.ContainsRune(",: \t\n", r) }) {
		list = append(list, Suite{name, known[name]})
	}
	return idsOf(list)
}
