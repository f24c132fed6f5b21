// Package regions has the regions of the world that load balancers steer by.
//
// It must not know load balancers.
package regions

import (
	"slices"
	"strings"
)

// Region is a part of a continent. The codes ENAM and WNAM are the documentation's;
// for the others, and for which countries are where, no list is published: they
// are those that are usual elsewhere.
type Region struct {
	Code             string // ENAM
	English, Chinese string
	// Named are the countries that ListLoadBalancerRegions shows.
	Named []Country
	// countries are the codes of all others.
	countries string
}

// Country is a country with its names.
type Country struct{ Code, English, Chinese string }

// All returns the regions. A country may be in more than one.
func All() []Region {
	america := []Country{{"US", "United States", "美国"}, {"CA", "Canada", "加拿大"}}
	return []Region{
		{"ENAM", "Eastern North America", "北美东部", america, "AG AI AW BB BL BM BQ BS BZ CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT VC VG VI"},
		{"WNAM", "Western North America", "北美西部", america, "MX"},
		{"WEU", "Western Europe", "西欧", []Country{{"DE", "Germany", "德国"}, {"FR", "France", "法国"}, {"GB", "United Kingdom", "英国"}},
			"AD AT AX BE CH DK ES FI FO GG GI IE IM IS IT JE LI LU MC MT NL NO PT SE SJ SM VA"},
		{"EEU", "Eastern Europe", "东欧", []Country{{"PL", "Poland", "波兰"}, {"CZ", "Czechia", "捷克"}},
			"AL BA BG BY CY EE GR HR HU KG KZ LT LV MD ME MK RO RS RU SI SK TJ TM UA UZ XK"},
		{"NEAS", "Northeast Asia", "东北亚", []Country{{"CN", "China", "中国"}, {"JP", "Japan", "日本"}, {"KR", "South Korea", "韩国"}}, "HK KP MN MO TW"},
		{"SEAS", "Southeast Asia", "东南亚", []Country{{"SG", "Singapore", "新加坡"}, {"ID", "Indonesia", "印度尼西亚"}}, "BN KH LA MM MY PH TH TL VN"},
		{"SAS", "Southern Asia", "南亚", []Country{{"IN", "India", "印度"}}, "AF BD BT LK MV NP PK"},
		{"OC", "Oceania", "大洋洲", []Country{{"AU", "Australia", "澳大利亚"}, {"NZ", "New Zealand", "新西兰"}},
			"AS CK FJ FM GU KI MH MP NC NF NR NU PF PG PN PW SB TK TO TV UM VU WF WS"},
		{"ME", "Middle East", "中东", []Country{{"AE", "United Arab Emirates", "阿联酋"}}, "AM AZ BH GE IL IQ IR JO KW LB OM PS QA SA SY TR YE"},
		{"SAM", "South America", "南美", []Country{{"BR", "Brazil", "巴西"}}, "AR BO CL CO EC FK GF GY PE PY SR UY VE"},
		{"AF", "Africa", "非洲", []Country{{"ZA", "South Africa", "南非"}}, "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZM ZW"},
	}
}

// Of returns the codes of the regions that a country is in.
func Of(country string) []string {
	var codes []string
	for _, r := range All() {
		if slices.Contains(strings.Fields(r.countries), country) || slices.ContainsFunc(r.Named, func(c Country) bool { return c.Code == country }) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}
