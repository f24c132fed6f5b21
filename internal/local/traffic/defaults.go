package traffic

// defaults is the traffic of a small shop that sells to a few countries.
func defaults(site string) Description {
	return Description{
		Hosts: Weights{"www." + site: 80, "img." + site: 15, site: 5},
		Paths: Weights{"/": 30, "/products": 15, "/products/1": 6, "/products/2": 4, "/cart": 5, "/assets/app.js": 12, "/assets/style.css": 10,
			"/assets/logo.svg": 6, "/images/hero.jpg": 8, "/images/item.webp": 9, "/api/products": 10, "/api/cart": 5, "/api/login": 2, "/old-page": 1},
		Methods:   Weights{"GET": 93, "POST": 6, "HEAD": 1},
		Protocols: Weights{"HTTP/2.0": 80, "HTTP/1.1": 20},
		Countries: Weights{"CN-ZJ": 20, "CN-GD": 16, "CN-SH": 12, "SG": 12, "US": 12, "DE": 8, "JP": 8, "BR": 6, "IN": 6},
		ISPs:      Weights{"China Telecom": 25, "China Mobile": 18, "China Unicom": 12, "Singtel": 12, "Comcast": 12, "Deutsche Telekom": 8, "NTT": 8, "Other": 5},
		ASNs:      Weights{"4134": 25, "9808": 18, "4837": 12, "7473": 12, "7922": 12, "3320": 8, "4713": 8},
		Agents: Weights{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                         30,
			"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                   25,
			"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": 20,
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   8,
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0":                                                        6,
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           6,
			"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                3,
			"curl/8.5.0": 2,
		},
		Referers:      Weights{"": 55, "https://www." + site + "/": 25, "https://www.google.com/": 12, "https://www.baidu.com/": 8},
		Statuses:      Weights{"200": 90, "304": 4, "301": 1.5, "404": 3, "403": 0.5, "500": 0.4, "502": 0.6},
		CacheStatuses: Weights{"HIT": 68, "MISS": 10, "EXPIRED": 3, "DYNAMIC": 17, "BYPASS": 2},
	}
}
